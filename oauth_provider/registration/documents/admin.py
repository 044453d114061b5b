"""Metadata documents in the admin: which copy is in force, whether it still counts, and everything it ever said."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import ago, chip, code, column, page_button
from oauth_provider.identities.external_id import user_ref
from oauth_provider.reason_page import Question, ask_reason
from oauth_provider.recorded_admin import About, ReadOnlyAdmin
from oauth_provider.registration.documents.ask_again import ask_again
from oauth_provider.registration.documents.differences import history
from oauth_provider.registration.documents.errors import DocumentError
from oauth_provider.registration.documents.models import MetadataDocument, Source
from oauth_provider.throttle import ThrottledError


class StateFilter(admin.SimpleListFilter):
    """What staff should look at first."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The states worth a look."""
        return [
            ("differs", gettext_lazy("Differs from our copy")),
            ("failing", gettext_lazy("Its host does not answer")),
            ("pinned", gettext_lazy("Our copy is in force")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[MetadataDocument]) -> QuerySet[MetadataDocument]:
        """Documents in the chosen state."""
        chosen: dict[str, dict[str, Any]] = {
            "differs": {"differs_from_pinned": True},
            "failing": {"failures__gt": 0},
            "pinned": {"source": Source.PINNED},
        }
        return queryset.filter(**chosen.get(str(self.value()), {}))


@admin.register(MetadataDocument)
class MetadataDocumentAdmin(ReadOnlyAdmin):
    """Written by their own hosts: staff look, compare, and ask again."""

    list_display = ("name", "address", "state", "asked", "versions_kept")
    list_filter = (StateFilter,)
    search_fields = ("client__name", "client__client_id")
    search_help_text = gettext_lazy("Name or address.")
    list_select_related = ("client",)
    nothing_yet = gettext_lazy(
        "A document appears when somebody connects a client whose id is the address of one: ChatGPT, Claude, VS Code."
    )
    ordering = ("client__name",)
    actions_detail = ("ask_now",)
    fields = readonly_fields = (
        "of_client",
        "address",
        "state",
        "source",
        "fetched_at",
        "fresh_until",
        "tried_at",
        "failures",
        "fault",
    )
    change_form_outer_before_template = "admin/documents/state.html"
    change_form_outer_after_template = "admin/documents/history.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[MetadataDocument]:
        """With the number of their versions."""
        documents: QuerySet[MetadataDocument] = super().get_queryset(request).select_related("client")
        return documents.annotate(version_count=Count("versions"))

    def about(self, obj: MetadataDocument) -> About:
        """Its client."""
        return {"target": f"document:{obj.client.client_id}"[:255], "client_id": obj.client.client_id}

    def history_term(self, obj: MetadataDocument) -> str:
        """Everything the ledger says of its client."""
        return str(obj.client.client_id)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """For those who may act."""
        document = self.look_up(request, object_id)
        may = document is not None and self.may_act(request, document)
        return super().get_actions_detail(request, object_id) if may else []

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """With every version and what each changed."""
        document = kwargs.get("obj")
        if document is not None:
            context |= {"document": document, "versions": history(document)}
        return super().render_change_form(request, context, *args, **kwargs)

    @page_button(description=gettext_lazy("Ask its host now"), path="ask", icon="refresh")
    def ask_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask before the copy is due."""
        document = self.changeable(request, object_id)
        question = Question(
            title=_("Ask for the document of %(name)s now?") % {"name": document.client.name},
            consequences=(
                _("What its host says is in force at once. When it says nothing usable, the copy stays as it is."),
            ),
            button=_("Ask now"),
            is_danger=False,
        )
        reason = ask_reason(self, request, document, question)
        if not isinstance(reason, str):
            return reason
        try:
            ask_again(document=document, request=request, actor=user_ref(request.user), reason=reason)
        except (DocumentError, ThrottledError) as refusal:
            messages.error(request, _("No usable answer: %(reason)s.") % {"reason": refusal})
        else:
            fault = MetadataDocument.objects.get(pk=document.pk).fault
            if fault:
                messages.error(request, _("No usable answer: %(reason)s.") % {"reason": fault})
            else:
                messages.success(request, _("Its host answered."))
        return HttpResponseRedirect(self.page_of(document))

    @column(description=gettext_lazy("client"), ordering="client__name")
    def name(self, document: MetadataDocument) -> str:
        """What it calls itself."""
        return str(document.client.name)

    @column(description=gettext_lazy("client"))
    def of_client(self, document: MetadataDocument) -> SafeString:
        """Its page."""
        page = reverse("admin:oauth_provider_client_change", args=[document.client_id])
        return format_html('<a class="gh-link" href="{}">{}</a>', page, document.client.name)

    @column(description=gettext_lazy("address"), ordering="client__client_id")
    def address(self, document: MetadataDocument) -> SafeString:
        """As text: it is a stranger's."""
        return code(document.client.client_id)

    @column(description=gettext_lazy("state"))
    def state(self, document: MetadataDocument) -> SafeString:
        """The first thing worth knowing."""
        if not document.is_usable(timezone.now()):
            return chip("danger", _("Too old to be used"))
        if document.differs_from_pinned:
            return chip("warn", _("Differs from our copy"))
        if document.failures:
            return chip("warn", _("Its host does not answer"))
        return (
            chip("plain", _("Our copy is in force"))
            if document.source == Source.PINNED
            else chip("good", _("As served"))
        )

    @column(description=gettext_lazy("last fetched at"), ordering="fetched_at")
    def asked(self, document: MetadataDocument) -> SafeString | str:
        """How long ago."""
        return ago(document.fetched_at)

    @column(description=gettext_lazy("versions"))
    def versions_kept(self, document: MetadataDocument) -> int:
        """How many are kept."""
        return int(getattr(document, "version_count", 0))
