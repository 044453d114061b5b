"""The composition root as a Django application, so that it can carry commands and static files."""

from django.apps import AppConfig


class GatewayProjectConfig(AppConfig):
    """Owns `demo` and `runserver`; imported by nobody."""

    name = "gateway_project"
    verbose_name = "Gatehouse"
