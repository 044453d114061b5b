"""Scope: one permission, in words a person understands."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

SCOPE_NAME = RegexValidator(
    # scope-token of RFC 6749 section 3.3, narrowed to what survives URLs and shells unquoted
    r"\A[a-z0-9][a-z0-9:._/-]{0,99}\Z",
    _("Use lower-case letters, digits and : . _ / - only, such as jobs:read."),
)


class Sensitivity(models.TextChoices):
    """How much a person risks by giving it."""

    NORMAL = "normal", _("Read")
    WRITE = "write", _("Change")
    SENSITIVE = "sensitive", _("Sensitive")


class Scope(models.Model):
    """A permission that clients ask for, operations require and people give."""

    name = models.CharField(_("name"), max_length=100, unique=True, validators=[SCOPE_NAME])
    title = models.CharField(
        _("title"), max_length=120, help_text=_("What it allows, in a few plain words: Search jobs.")
    )
    description = models.TextField(_("description"), blank=True, help_text=_("One sentence for the consent page."))
    translations = models.JSONField(
        _("translations"), default=dict, blank=True, help_text=_('{"pt-br": {"title": "…", "description": "…"}}')
    )
    sensitivity = models.CharField(_("sensitivity"), max_length=10, choices=Sensitivity, default=Sensitivity.NORMAL)
    self_registration = models.BooleanField(_("open to clients that register themselves"), default=False)
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("Off: no token that carries it opens anything.")
    )

    class Meta:
        verbose_name = _("permission")
        verbose_name_plural = _("permissions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def words(self, field: str, language: str | None = None) -> str:
        """`title` or `description` in `language` (a Django language code; default: the active one)."""
        code = (language or get_language() or "en").lower()
        for candidate in (code, code.split("-")[0]):
            translated = self.translations.get(candidate, {}).get(field)
            if translated:
                return str(translated)
        return str(getattr(self, field))

    @property
    def local_title(self) -> str:
        """The title in the active language."""
        return self.words("title")

    @property
    def local_description(self) -> str:
        """The description in the active language."""
        return self.words("description")
