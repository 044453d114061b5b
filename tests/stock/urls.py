"""The library's own URLs where its documents put them, and one protected resource."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from oauth2_provider.urls import metadata_urlpatterns
from oauth2_provider.views.generic import ScopedProtectedResourceView


class Echo(ScopedProtectedResourceView):
    """What a token opens."""

    required_scopes = ["tool:read"]  # type: ignore[assignment]  # untyped there

    def get(self, _request: HttpRequest, **_: object) -> JsonResponse:
        """A token that may read is told so."""
        return JsonResponse({"read": True})


urlpatterns = [
    path("accounts/login/", LoginView.as_view(template_name="admin/login.html")),
    path("admin/", admin.site.urls),
    path("o/", include("oauth2_provider.urls")),
    path("", include(metadata_urlpatterns)),
    path("api/v1/echo/<path:rest>", Echo.as_view()),
]
