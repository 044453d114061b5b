"""Pages for tools in the admin: the document, what it may reach, and a look at it in a sandbox."""

from typing import Any

from csp.decorators import csp_update
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from oauth_provider.admin_skin import code, column, page_button
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import About
from proxy.catalogue.admin import CatalogueAdmin
from proxy.catalogue.ui_resources.forms import UiResourceForm
from proxy.catalogue.ui_resources.meta import preview_policy
from proxy.catalogue.ui_resources.models import DOMAINS, UiResource
from proxy.catalogue.ui_resources.save import remove_ui_resource, save_ui_resource

PREVIEW = "admin/ui_resources/preview.html"


@admin.register(UiResource)
class UiResourceAdmin(CatalogueAdmin):
    """Its URI is fixed once made: clients keep the page by it. Operations say which of them they show."""

    form = UiResourceForm
    list_display = ("address", "title", "tools", "reaches")
    list_filter: tuple[str, ...] = ()
    search_fields = ("uri", "title", "operations__operation_id")
    search_help_text = gettext_lazy("URI, title, or an operation that shows it.")
    nothing_yet = gettext_lazy(
        "AI clients can show a page with a tool's result. Give one here, then choose it in the operation."
    )
    actions_detail = ("preview",)
    fieldsets: Any = (
        (None, {"fields": ("uri", "title", "description", "html", "reason")}),
        (gettext_lazy("What it may reach"), {
            "fields": DOMAINS,
            "description": gettext_lazy("Clients show it in a sandbox, and let it reach these origins and no others."),
        }),
        (gettext_lazy("How clients frame it"), {"fields": ("prefers_border", "domain"), "classes": ("collapse",)}),
    )  # fmt: skip

    def about(self, obj: UiResource) -> About:
        """By its URI."""
        return {"target": f"ui_resource:{obj.uri}"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[UiResource]:
        """Pages with the operations that show them."""
        pages: QuerySet[UiResource] = super().get_queryset(request).prefetch_related("operations__backend")
        return pages

    def get_fieldsets(self, request: HttpRequest, obj: UiResource | None = None) -> Any:
        """A new one needs no reason."""
        if obj is not None:
            return self.fieldsets
        (title, first), *others = self.fieldsets
        return ((title, {"fields": tuple(name for name in first["fields"] if name != "reason")}), *others)

    def get_urls(self) -> list[URLPattern]:
        """With the document alone, for the frame of the preview."""
        document = self.admin_site.admin_view(self.document)
        return [path("<int:object_id>/document/", document, name="proxy_uiresource_document"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: UiResource, form: Any, change: bool) -> None:
        """Kept by the verb, in the transaction of the page."""
        note = form.cleaned_data.get("reason", "")
        save_ui_resource(page=obj, actor=user_ref(request.user), fields=form.changed_names(), note=note)

    def delete_model(self, request: HttpRequest, obj: UiResource) -> None:
        """Removed by the verb."""
        remove_ui_resource(page=obj, actor=user_ref(request.user), note=self.reason_of(request))

    @page_button(description=gettext_lazy("Preview"), path="preview", icon="preview")
    @method_decorator(csp_update({"frame-src": ["'self'"]}))
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page as a client shows it, with a result to try it with."""
        page = self._readable(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview of %(name)s") % {"name": page.title},
            "opts": self.opts,
            "page": page,
            "document": reverse("admin:proxy_uiresource_document", args=[page.pk]),
        }
        return TemplateResponse(request, PREVIEW, context)

    @method_decorator(xframe_options_sameorigin)
    def document(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What staff were given, in an origin of nobody's: it is not ours to trust."""
        page = self._readable(request, str(object_id))
        return HttpResponse(page.html, headers={"Content-Security-Policy": preview_policy(page)})

    def _readable(self, request: HttpRequest, object_id: str) -> UiResource:
        page: UiResource | None = self.look_up(request, object_id)
        if page is None or not self.has_view_permission(request, page):
            raise Http404
        return page

    @column(description=gettext_lazy("URI"), ordering="uri")
    def address(self, page: UiResource) -> SafeString:
        """What clients call it by."""
        return code(page.uri)

    @column(description=gettext_lazy("shown by"))
    def tools(self, page: UiResource) -> str:
        """Which operations show it."""
        return ", ".join(f"{row.backend.name}/{row.operation_id}" for row in page.operations.all()) or "–"

    @column(description=gettext_lazy("reaches"))
    def reaches(self, page: UiResource) -> str:
        """Origins, whatever for."""
        return ", ".join(dict.fromkeys(origin for name in DOMAINS for origin in getattr(page, name))) or _("nothing")
