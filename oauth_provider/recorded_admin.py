"""Pages of the admin whose every change is an event of the ledger, written in the transaction of the change."""

from collections.abc import Iterable
from typing import Any, ClassVar, Required, TypedDict

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.identities.external_id import user_ref
from oauth_provider.revisions.bump import Name, bump

REASON_MAX = 500


class About(TypedDict, total=False):
    """What an event says of the object: see `record_admin_change`."""

    target: Required[str]
    user: UserRef | None
    client_id: str
    connection: str
    backend: str


class ReasonedForm(forms.ModelForm):  # type: ignore[type-arg] - generic for the type checker only
    """Asks why; insists when a field of `access_fields` changes, because then somebody gains or loses access."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=REASON_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy(
            "Kept in the audit log. You must give one when somebody gains or loses access by this change."
        ),
    )
    access_fields: ClassVar[frozenset[str]] = frozenset()

    def changed_names(self) -> list[str]:
        """Names of what was changed, for the event."""
        return [name for name in self.changed_data if name != "reason"]

    def clean(self) -> dict[str, Any] | None:
        """Check what the fields alone cannot know.

        Raises:
            ValidationError: by field.
        """
        cleaned = super().clean()
        is_new = self.instance._state.adding  # noqa: SLF001 - Django's only name for it
        if not is_new and not self.cleaned_data.get("reason") and self.access_fields & set(self.changed_names()):
            self.add_error("reason", _("Say why: by this change somebody gains or loses access."))
        return cleaned


class RecordedAdmin(ModelAdmin):  # type: ignore[misc] - unfold is untyped
    """What all of our pages share: locked while they change, recorded, announced; deletion only where we say so."""

    # What the data plane must read again after a change
    revisions: ClassVar[tuple[Name, ...]] = ()
    actions: Any = None
    warn_unsaved_form = True
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def about(self, obj: Any) -> About:  # noqa: ANN401 - each page knows its own model
        """What the event of a change of `obj` says it is about."""
        return {"target": f"{self.opts.model_name}:{obj}"}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:  # noqa: ANN401
        """The object; for a POST freshly read and locked, so that no change made meanwhile is written over."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST":
            return found
        return self.model._base_manager.select_for_update().filter(pk=found.pk).first()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ANN401
        """The last step of a save: what was changed is known, and the transaction still open."""
        super().save_related(request, form, formsets, change)
        fields = form.changed_names()
        if fields or not change:
            self.tell(
                request,
                form.instance,
                kind=Kind.ADMIN_OBJECT_CHANGED if change else Kind.ADMIN_OBJECT_ADDED,
                fields=fields,
                note=form.cleaned_data.get("reason", ""),
            )

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:  # noqa: ANN401
        """Ask for a reason too: what is deleted was open to somebody."""
        if request.method == "POST" and not request.POST.get("reason", "").strip():
            messages.error(request, _("Say why, then delete."))
            return HttpResponseRedirect(request.get_full_path())
        response: HttpResponse = super().delete_view(request, object_id, extra_context)
        return response

    def delete_model(self, request: HttpRequest, obj: Any) -> None:  # noqa: ANN401
        """Delete, record and announce, within the transaction of `delete_view`."""
        note = request.POST.get("reason", "").strip()[:REASON_MAX]
        self.tell(request, obj, kind=Kind.ADMIN_OBJECT_DELETED, note=note)
        super().delete_model(request, obj)

    def tell(
        self, request: HttpRequest, obj: Any, *, kind: Kind, fields: Iterable[str] = (), note: str = ""  # noqa: ANN401
    ) -> None:
        """Record a change of `obj` (the names of its changed `fields`, never their values) and announce it."""
        record_admin_change(
            kind=kind, actor=user_ref(request.user), fields=fields, note=note, **self.about(obj)
        )
        for name in self.revisions:
            bump(name)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401, ARG002
        """Nobody, unless a page says otherwise: what others depend on is switched off instead."""
        return False


class ReadOnlyAdmin(RecordedAdmin):
    """Seen by those who may; changed, if at all, by buttons of its own."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401, ARG002
        """Nobody."""
        return False

    def may_act(self, request: HttpRequest) -> bool:
        """Who may press the page's own buttons: those with the permission to change."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

