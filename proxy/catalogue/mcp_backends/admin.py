"""What an MCP backend offers, on pages behind its own: how each definition stands, what changed, and the verdict."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Case, CharField, Count, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import patch_cache_control
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from oauth_provider.admin_skin import Tone, chip
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import REASON_MAX, RecordedAdmin
from proxy.catalogue.mcp_backends.approve import approve, refuse
from proxy.catalogue.mcp_backends.differences import lines
from proxy.catalogue.mcp_backends.models import Definition, McpBackend, State
from proxy.catalogue.mcp_backends.opened import Openings, elsewhere
from proxy.catalogue.mcp_backends.wanted import look_at
from proxy.catalogue.mcp_backends.words import fault_words, look_fault_words
from proxy.catalogue.models import Backend, BackendKind, Operation

PAGE = 100
TONES: dict[str, Tone] = {
    State.SERVED: "good", State.WAITING: "warn", State.CHANGED: "warn", State.REFUSED: "plain", State.GONE: "plain",
    State.FAULTY: "danger",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One definition on a page; `operation` None: nobody may use it."""

    definition: Definition
    state: SafeString
    operation: Operation | None
    fault: str
    # Who has its URI at /mcp
    elsewhere: str


class VerdictForm(forms.Form):
    """Approve or refuse what was looked at."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=REASON_MAX, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Kept in the audit log."),
    )  # fmt: skip


class McpDefinitions(RecordedAdmin):
    """The pages behind a backend of kind mcp."""

    def get_urls(self) -> list[URLPattern]:
        """Those of every object, and these."""
        view = self.admin_site.admin_view(self.definitions)
        own = path("<int:object_id>/definitions/", view, name="proxy_backend_definitions")
        return [own, *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """As always; after a save also whether the backend answered, which is asked once it is stored."""
        response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        name = request.POST.get("name", "")
        if request.method == "POST" and response.status_code == HttpResponseRedirect.status_code:
            _warn(request, McpBackend.objects.filter(backend__pk=object_id) if object_id else _named(name))
        return response

    def definitions(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """All of them or one; a POST asks the backend, or judges one.

        Raises:
            Http404: there is no such backend, or definition.
            PermissionDenied: this member of staff may not see backends, or not change them.
        """
        backend: Backend | None = self.look_up(request, str(object_id))
        if backend is None or backend.kind != BackendKind.MCP:
            raise Http404
        if not self.has_view_permission(request, backend):
            raise PermissionDenied
        chosen = _chosen(backend, request.GET.get("definition", ""))
        form = VerdictForm(request.POST if "verdict" in request.POST else None)
        if request.method == "POST":
            if not self.may_act(request, backend):
                raise PermissionDenied
            if chosen is None:
                return self._look(request, backend)
            if form.is_valid() and _judged(request, chosen, form):
                return HttpResponseRedirect(_address(backend))
        context = _one(chosen, form) if chosen else _all(backend, request)
        return self._definitions_page(request, backend, context)

    def _look(self, request: HttpRequest, backend: Backend) -> HttpResponse:
        look_at(backend)
        if not _warn(request, McpBackend.objects.filter(backend=backend)):
            messages.success(request, _("It answered."))
        return HttpResponseRedirect(_address(backend))

    def _definitions_page(self, request: HttpRequest, backend: Backend, context: dict[str, Any]) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": _("What %(name)s offers") % {"name": backend.name},
            "opts": self.opts,
            "original": backend,
            "mcp": McpBackend.objects.filter(backend=backend).first(),
            "may_judge": self.may_act(request, backend),
            "back": self.page_of(backend),
            "here": _address(backend),
        }
        request.current_app = self.admin_site.name
        page = TemplateResponse(request, "admin/backends/definitions.html", shared | context)
        patch_cache_control(page, no_store=True, private=True)
        return page


def summary(backend: Backend) -> dict[str, Any] | None:
    """What the page of an MCP backend says of them; None for every other backend."""
    if backend.kind != BackendKind.MCP:
        return None
    mcp = McpBackend.objects.filter(backend=backend).first()
    fault = mcp.fault if mcp else ""
    return {
        "mcp": mcp, "fault": look_fault_words(fault) or fault, "counts": _counts(backend), "url": _address(backend),
    }  # fmt: skip


def _counts(backend: Backend) -> list[tuple[str, SafeString, int]]:
    cases = [When(Definition.in_state(state), then=Value(state)) for state in State.values]
    rows = backend.definitions.order_by().annotate(stands=Case(*cases, output_field=CharField()))
    found = dict(rows.values_list("stands").annotate(Count("pk")))
    return [(state, _chip(state), found[state]) for state in State if state in found]


def _chip(state: State) -> SafeString:
    return chip(TONES[state], state.label)


def _address(backend: Backend) -> str:
    return reverse("admin:proxy_backend_definitions", args=[backend.pk])


def _named(name: str) -> Any:
    return McpBackend.objects.filter(backend__name=name.replace("\0", ""))


def _warn(request: HttpRequest, asked: Any) -> bool:
    mcp = asked.first()
    if mcp is None or not mcp.fault:
        return False
    words = {"fault": look_fault_words(mcp.fault) or mcp.fault}
    messages.warning(request, _("Asking it what it offers failed: %(fault)s") % words)
    return True


def _chosen(backend: Backend, text: str) -> Definition | None:
    if not text:
        return None
    known = text.isascii() and text.isdigit() and len(text) < 19
    found: Definition | None = backend.definitions.filter(pk=int(text)).first() if known else None
    if found is None:
        raise Http404
    return found


def _judged(request: HttpRequest, chosen: Definition, form: VerdictForm) -> bool:
    verb = approve if request.POST["verdict"] == "approve" else refuse
    try:
        with transaction.atomic():
            verb(
                definition=chosen, digest=form.cleaned_data["digest"], actor=user_ref(request.user),
                note=form.cleaned_data["reason"],
            )  # fmt: skip
    except ValidationError as fault:
        form.add_error(None, fault)
        return False
    done = _("%(name)s is approved.") if verb is approve else _("%(name)s is refused.")
    messages.success(request, done % {"name": chosen.name})
    return True


def _one(chosen: Definition, form: VerdictForm) -> dict[str, Any]:
    if not form.is_bound:
        form = VerdictForm(initial={"digest": chosen.seen_digest})
    may_be_approved = chosen.state in {State.WAITING, State.CHANGED, State.REFUSED}
    return {
        "row": _row(chosen, Openings(chosen.backend)),
        "lines": list(lines(chosen.approved_value, chosen.seen_value)),
        "form": form,
        "may_be_approved": may_be_approved,
        "may_be_refused": chosen.state in {State.WAITING, State.CHANGED, State.SERVED},
    }


def _all(backend: Backend, request: HttpRequest) -> dict[str, Any]:
    state = request.GET.get("state", "")
    rows = backend.definitions.defer("approved")
    if state:
        rows = rows.filter(Definition.in_state(state))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page", "1"))
    openings = Openings(backend)
    return {"rows": [_row(row, openings) for row in page], "pages": page, "state": state, "counts": _counts(backend)}


def _row(definition: Definition, openings: Openings) -> Row:
    return Row(
        definition=definition,
        state=_chip(definition.state),
        operation=openings.of(definition),
        fault=fault_words(definition),
        elsewhere=elsewhere(definition),
    )
