"""Django application of the gateway."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProxyConfig(AppConfig):
    """Backends, operations and the data plane."""

    name = "proxy"
    label = "proxy"
    verbose_name = _("Gateway")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect who looks at MCP backends; by its name, because models can only be imported by now."""
        import_module("proxy.upstream.mcp.looking")
