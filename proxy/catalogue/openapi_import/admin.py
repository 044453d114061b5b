"""Import OpenAPI, on a backend's page: give a document, see what it changes, agree."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import page_button
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import RecordedAdmin
from proxy.catalogue.models import Backend, BackendKind
from proxy.catalogue.openapi_import.apply import apply_import
from proxy.catalogue.openapi_import.drafts import Draft, forget_draft, keep_draft, kept_draft
from proxy.catalogue.openapi_import.faults import BadDocument, ImportFault
from proxy.catalogue.openapi_import.forms import PAGE_MAX_BYTES, AgreementForm, DocumentForm
from proxy.catalogue.openapi_import.merge import Fate, Plan, make_plan
from proxy.catalogue.openapi_import.propose import Proposal, Proposer
from proxy.catalogue.openapi_import.read import read_document
from proxy.catalogue.openapi_import.shown import shown
from proxy.catalogue.openapi_import.source import url_content


class OpenApiImport(RecordedAdmin):
    """The button on a backend's page and the pages behind it."""

    actions_detail: tuple[str, ...] = ("openapi",)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only for those who may add and change what an import adds and changes."""
        found = self.look_up(request, object_id)
        is_closed = found is None or found.kind == BackendKind.MCP or not self.may_act(request, found)
        hidden = {"openapi"} if is_closed or not _may_import(request) else set()
        return self.buttons_but(hidden, super().get_actions_detail(request, object_id))

    @page_button(description=gettext_lazy("Import OpenAPI"), path="openapi", icon="upload_file")
    def openapi(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a document; show what it changes; store it.

        Raises:
            PermissionDenied: this member of staff may not change operations.
        """
        backend = self.changeable(request, object_id)
        if not _may_import(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, backend, DocumentForm())
        if "draft" in request.POST:
            return self._agreed(request, backend)
        form = DocumentForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._ask(request, backend, form)
        try:
            draft = _given(form, backend)
            plan, *_rest = _planned(backend, draft)
        except ImportFault as fault:
            form.add_error(None, str(fault))
            return self._ask(request, backend, form)
        return self._show(request, backend, draft, plan)

    def _agreed(self, request: HttpRequest, backend: Backend) -> HttpResponse:
        form = AgreementForm(request.POST)
        place: dict[str, Any] = {"user_id": str(request.user.pk), "backend_id": backend.pk}
        draft = kept_draft(str(request.POST.get("draft", ""))[:64], **place)
        if draft is None:
            messages.error(request, _("The document is not kept any more: give it again."))
            return self._ask(request, backend, DocumentForm())
        try:
            plan, proposals, notes = _planned(backend, draft)
        except ImportFault as fault:
            # What it names may be gone by now, a permission for one
            messages.error(request, str(fault))
            return self._ask(request, backend, DocumentForm())
        if not form.is_valid():
            return self._show(request, backend, draft, plan, form)
        try:
            apply_import(
                backend=backend, proposals=proposals, notes=notes, seen=form.cleaned_data["seen"],
                disable_missing=draft.disable_missing, actor=user_ref(request.user), note=form.cleaned_data["reason"],
            )  # fmt: skip
        except ImportFault as fault:
            messages.error(request, str(fault))
            return self._show(request, backend, draft, _planned(backend, draft)[0])
        forget_draft(form.cleaned_data["draft"], **place)
        numbers = {"new": len(plan.of(Fate.NEW)), "changed": len(plan.of(Fate.CHANGED))}
        messages.success(request, _("Imported: %(new)d new, %(changed)d changed.") % numbers)
        return HttpResponseRedirect(self.page_of(backend))

    def _ask(self, request: HttpRequest, backend: Backend, form: DocumentForm) -> HttpResponse:
        return self._import_page(request, backend, {"form": form})

    def _show(
        self, request: HttpRequest, backend: Backend, draft: Draft, plan: Plan, form: AgreementForm | None = None
    ) -> HttpResponse:
        name = keep_draft(draft, user_id=str(request.user.pk), backend_id=backend.pk)
        agreement = form or AgreementForm(initial={"draft": name, "seen": plan.digest})
        return self._import_page(
            request, backend, {"plan": shown(plan, disable_missing=draft.disable_missing), "agreement": agreement}
        )

    def _import_page(self, request: HttpRequest, backend: Backend, context: dict[str, Any]) -> HttpResponse:
        title = _("Import OpenAPI into %(name)s") % {"name": backend.name}
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": backend}
        request.current_app = self.admin_site.name
        page = TemplateResponse(
            request, "admin/backends/import.html", shared | {"back": self.page_of(backend)} | context
        )
        patch_cache_control(page, no_store=True, private=True)
        return page


def _may_import(request: HttpRequest) -> bool:
    return request.user.has_perms(["proxy.add_operation", "proxy.change_operation"])


def _given(form: DocumentForm, backend: Backend) -> Draft:
    content = form.content()
    if content is None:
        content = url_content(form.cleaned_data["url"], backend=backend, max_bytes=PAGE_MAX_BYTES)
    if len(content) > PAGE_MAX_BYTES:
        words = {"most": PAGE_MAX_BYTES}
        raise BadDocument(_("More than %(most)d bytes are for the command import_openapi.") % words)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadDocument(_("The document is not UTF-8.")) from None
    return Draft(text, tuple(form.cleaned_data["scopes"]), form.cleaned_data["disable_missing"])


def _planned(backend: Backend, draft: Draft) -> tuple[Plan, list[Proposal], list[str]]:
    proposer = Proposer(read_document(draft.content.encode()), backend=backend, otherwise=draft.scopes)
    proposals = [each for found in proposer.proposals() for each in found]
    notes = proposer.notes()
    return make_plan(backend=backend, proposals=proposals, notes=notes), proposals, notes
