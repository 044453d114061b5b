"""Connected Apps: the pages where people see and stop what acts for them."""

from django.urls import path

from audit.connected_apps import views

app_name = "connected_apps"
urlpatterns = [
    path("", views.list_connections, name="list"),
    path("<uuid:connection_id>/", views.show_connection, name="detail"),
    path("<uuid:connection_id>/revoke/", views.revoke, name="revoke"),
]
