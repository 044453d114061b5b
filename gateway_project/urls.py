"""The control plane's URLs. The data plane's never reach Django: see `asgi`."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from gateway_project.domain_proof import openai_apps_challenge

urlpatterns = [
    # As people type it
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/manage/v1/", include("gateway_project.management_api")),
    path("connected-apps/", include("audit.connected_apps.urls")),
    path(".well-known/openai-apps-challenge", openai_apps_challenge),
    path("", include("oauth_provider.urls")),
]
