"""UiResource: an HTML page that AI clients show with a tool's result, and what it may reach."""

import re
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from proxy.catalogue.ui_resources.origins import LENGTH_MAX, ORIGINS_MAX, is_domain, is_origin_list

URI = re.compile(r"\Aui://[a-z0-9][a-z0-9-]{0,49}/[a-z0-9][a-z0-9-]{0,99}\.html\Z")
# Three times as much, as a form of the admin may send it, is still a body that is taken
HTML_MAX_BYTES: Final = 262_144
DESCRIPTION_MAX: Final = 1000
DOMAINS: Final = ("connect_domains", "resource_domains", "frame_domains")
_DOCTYPE = re.compile(r"\A\s*<!doctype html\b", re.IGNORECASE)


class UiResource(models.Model):
    """A page; clients keep it by its URI and show it in a sandbox that reaches nothing but the domains named here."""

    uri = models.CharField(
        _("URI"), max_length=200, unique=True, validators=[RegexValidator(URI)],
        help_text=_("What clients call it by: ui://careers/job-list.html. It cannot be changed afterwards."),
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(
        _("description"), blank=True, default="", max_length=DESCRIPTION_MAX,
        help_text=_("What it shows. The model reads it, so that it does not tell the same again."),
    )  # fmt: skip
    html = models.TextField(_("HTML"), help_text=_("A whole document, scripts and styles within it: at most 256 KiB."))
    connect_domains = models.JSONField(
        _("may call"), default=list, blank=True,
        help_text=_("Origins its scripts may fetch from. Empty: none."),
    )  # fmt: skip
    resource_domains = models.JSONField(
        _("may load from"), default=list, blank=True,
        help_text=_("Origins of its pictures, fonts, styles and scripts. Empty: none, all is in the document."),
    )  # fmt: skip
    frame_domains = models.JSONField(
        _("may embed"), default=list, blank=True, help_text=_("Origins of pages within it. Empty: none.")
    )
    prefers_border = models.BooleanField(
        _("with a border"), default=True, help_text=_("Off: the page draws its own edge.")
    )
    domain = models.CharField(
        _("domain of its own"), max_length=LENGTH_MAX, blank=True, default="",
        help_text=_("Where the client is to run it, in the form that client asks for. Empty: where it likes."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("page for tools")
        verbose_name_plural = _("pages for tools")
        ordering = ["uri"]

    def __str__(self) -> str:
        return self.uri

    @property
    def name(self) -> str:
        """The URI without its scheme and suffix, for programs (MCP, BaseMetadata)."""
        return self.uri.removeprefix("ui://").removesuffix(".html")

    def clean(self) -> None:
        """Refuse whatever a client would not show.

        Raises:
            ValidationError: by field.
        """
        faults: dict[str, list[str]] = {}
        if len(self.html.encode("utf-8", "surrogatepass")) > HTML_MAX_BYTES:
            faults["html"] = [gettext("More than 256 KiB: leave out what the page does not need.")]
        elif not _DOCTYPE.match(self.html) or "\x00" in self.html:
            faults["html"] = [gettext("A whole document: it begins with <!doctype html>.")]
        for name in DOMAINS:
            if not is_origin_list(getattr(self, name)):
                words = gettext("At most %(number)d origins, such as https://api.example.com or https://*.example.com.")
                faults[name] = [words % {"number": ORIGINS_MAX}]
        if self.domain and not is_domain(self.domain):
            faults["domain"] = [gettext("A host name, or an origin such as https://app.example.com.")]
        if faults:
            raise ValidationError(faults)
