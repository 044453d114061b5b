"""Django application of the gateway."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProxyConfig(AppConfig):
    """Backends, operations and the data plane."""

    name = "proxy"
    label = "proxy"
    verbose_name = _("Gateway")
    default_auto_field = "django.db.models.BigAutoField"
