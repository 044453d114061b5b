"""Pages of the admin whose every change is an event of the ledger, written in the transaction of the change."""

import hashlib
from collections.abc import Container, Iterable
from typing import Any, ClassVar, Required, TypedDict
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
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


class ReasonedForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker only
    """Asks why, insists when somebody gains or loses access, and refuses to write over what others just changed."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored = self._digest()
        self.initial["seen"] = self._stored

    def changed_names(self) -> list[str]:
        """Names of what was changed, for the event."""
        return [name for name in self.changed_data if name not in {"reason", "seen"}]

    def touches_access(self) -> bool:
        """Whether somebody gains or loses access by what was changed."""
        return bool(self.access_fields & set(self.changed_names()))

    def clean(self) -> dict[str, Any] | None:
        """Check what the fields alone cannot know.

        Raises:
            ValidationError: by field.
        """
        cleaned = super().clean()
        if self.instance._state.adding:  # noqa: SLF001 - Django's only name for it
            return cleaned
        if self.cleaned_data.get("seen") != self._stored:
            self.add_error(
                None, _("Somebody changed this while you were looking at it. Open it again, then change it.")
            )
        elif not self.cleaned_data.get("reason") and self.touches_access():
            self.add_error("reason", _("Say why: by this change somebody gains or loses access."))
        return cleaned

    def _digest(self) -> str:
        # Of the object as it was read, before the form writes into it
        values = model_to_dict(self.instance, fields=self._meta.fields)
        for name, value in values.items():
            if isinstance(value, list):
                # Rows that it names by their keys: the words of each would be read one by one
                values[name] = sorted(getattr(each, "pk", each) for each in value)
        return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:32]


class RecordedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """What all of our pages share: locked while they change, recorded, announced; deletion only where we say so."""

    # What the data plane must read again after a change
    revisions: ClassVar[tuple[Name, ...]] = ()
    # Which of Django's permissions mean something here
    granted: ClassVar[tuple[str, ...]] = ("view", "add", "change")
    actions: Any = None
    compressed_fields = True
    warn_unsaved_form = True
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """What the filters beside the list ask, and nothing else: an address is no query language."""
        fields = {name[0] if isinstance(name, tuple) else name for name in self.list_filter}
        own = {getattr(name, "parameter_name", "") for name in fields}
        return lookup in own or (lookup.partition("__")[0] in fields and lookup.endswith(("__exact", "__isnull")))

    def about(self, obj: Any) -> About:
        """What the event of a change of `obj` says it is about."""
        return {"target": f"{self.opts.model_name}:{obj}"}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The object; for a POST freshly read and locked, so that two changes come one after the other."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST":
            return found
        rows = self.model._base_manager.select_for_update()  # noqa: SLF001 - Django's only name for it
        return rows.filter(pk=found.pk).first()

    def look_up(self, request: HttpRequest, object_id: str) -> Any:
        """The object of an address as it is now, unlocked; None when there is none."""
        return super().get_object(request, unquote(str(object_id)))

    def changeable(self, request: HttpRequest, object_id: str) -> Any:
        """The object a button is pressed for.

        Raises:
            Http404: it does not exist.
            PermissionDenied: this member of staff may only look.
        """
        found = self.look_up(request, object_id)
        if found is None:
            raise Http404
        if not self.may_act(request, found):
            raise PermissionDenied
        return found

    def may_act(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may press the page's own buttons: those who may change the object."""
        return bool(self.has_change_permission(request, obj))

    def buttons_but(self, hidden: Container[str], buttons: Iterable[Any]) -> list[Any]:
        """Those of `buttons` whose methods are not `hidden`."""
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [button for button in buttons if button.action_name.removeprefix(prefix) not in hidden]

    def page_of(self, obj: Any) -> str:
        """The address of the object's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One way to make, two to change; never on to an empty form."""
        shown = {"show_save_and_add_another": False, "show_save_and_continue": bool(kwargs.get("change"))}
        return super().render_change_form(request, {**context, **shown}, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the pop-ups beside fields that name other objects: those have pages of their own."""
        form = super().get_form(request, obj, change, **kwargs)
        for field in form.base_fields.values():
            if isinstance(field.widget, RelatedFieldWidgetWrapper):
                field.widget = field.widget.widget
        return form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
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

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask for a reason too: what is deleted was open to somebody."""
        if request.method == "POST" and not self.reason_of(request):
            messages.error(request, _("Say why, then delete."))
            return HttpResponseRedirect(request.get_full_path())
        response: HttpResponse = super().delete_view(request, object_id, extra_context)
        return response

    def reason_of(self, request: HttpRequest) -> str:
        """Why something is deleted, as typed on the page that asks."""
        return request.POST.get("reason", "").strip()[:REASON_MAX]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, record and announce, within the transaction of `delete_view`."""
        self.tell(request, obj, kind=Kind.ADMIN_OBJECT_DELETED, note=self.reason_of(request))
        super().delete_model(request, obj)

    def tell(
        self,
        request: HttpRequest,
        obj: Any,
        *,
        kind: Kind,
        fields: Iterable[str] = (),
        note: str = "",
    ) -> None:
        """Record a change of `obj` (the names of its changed `fields`, never their values) and announce it."""
        record_admin_change(kind=kind, actor=user_ref(request.user), fields=fields, note=note, **self.about(obj))
        for name in self.revisions:
            bump(name)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What the ledger knows of the object; there is no second log."""
        found = self.look_up(request, object_id)
        if found is None:
            raise Http404
        query = urlencode({"q": self.history_term(found)})
        return HttpResponseRedirect(f"{reverse('admin:audit_event_changelist')}?{query}")

    def history_term(self, obj: Any) -> str:
        """What to search the ledger for."""
        return self.about(obj)["target"]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The ledger is the one log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The ledger is the one log."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """The ledger is the one log."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, unless a page says otherwise: what others depend on is switched off instead."""
        return False


class ReadOnlyAdmin(RecordedAdmin):
    """Seen by those who may; changed, if at all, by buttons of its own."""

    granted: ClassVar[tuple[str, ...]] = ("view", "change")
    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def may_act(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those with the permission to change, which the form itself never offers."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")


class EndingAdmin(ReadOnlyAdmin):
    """Of what is ended for good, and then only looked at: its rows have a `revoked_at`."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what would do something."""
        found = self.look_up(request, object_id)
        if found is None or found.revoked_at or not self.may_act(request, found):
            return []
        buttons: list[Any] = super().get_actions_detail(request, object_id)
        return buttons
