"""The composition root as a Django application, so that it can carry commands and static files; and its admin."""

from django.apps import AppConfig
from django.contrib.admin import apps as library


class GatewayProjectConfig(AppConfig):
    """Owns `demo` and `runserver`; imported by nobody."""

    name = "gateway_project"
    verbose_name = "Gatehouse"
    default = True


class AdminConfig(library.AdminConfig):
    """Django's admin, with our site in place of its own."""

    default_site = "gateway_project.admin_site.Site"
    default = False
