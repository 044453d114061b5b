"""Who may do what: Django's permissions of the resource's model, and the scopes of a staff token on top."""

from typing import Any, Final

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from oauth_provider.staff_tokens.models import StaffToken

DEEDS: Final = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PATCH": "change", "DELETE": "delete"}


class IsStaff(BasePermission):
    """Any member of staff, by whatever credential."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ANN401 - any view
        """Whether somebody of the staff asks."""
        del view
        return request.user.is_active and request.user.is_staff


class MayDo(IsStaff):
    """The default of every view: one that names no `resource` and no `model` is open to nobody.

    A view's `deeds` name the permission where a method alone does not tell it.
    """

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ANN401 - any view
        """Whether this member of staff, by this credential, may do what the request asks."""
        resource, model = getattr(view, "resource", ""), getattr(view, "model", None)
        if not super().has_permission(request, view) or not resource or model is None:
            return False
        if isinstance(request.auth, StaffToken) and not request.auth.allows(
            resource, write=request.method not in SAFE_METHODS
        ):
            return False
        deeds = DEEDS | getattr(view, "deeds", {})
        deed = deeds.get(getattr(view, "action", None) or "") or deeds.get(request.method or "", "change")
        return bool(request.user.has_perm(f"{model._meta.app_label}.{deed}_{model._meta.model_name}"))
