"""Clients in the admin."""

from unfold.admin import ModelAdmin


class ClientAdmin(ModelAdmin):
    """Registered by the library, through the setting APPLICATION_ADMIN_CLASS."""

    list_display = ("name", "preset", "client_id")
