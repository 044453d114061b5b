"""McpServer: a choice of operations that AI clients connect to as one server."""

from itertools import chain
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import Prefetch, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from proxy.catalogue.models import AuthMode, Backend, Operation
from proxy.catalogue.plans import MCP_PATH

# Some hosts cut what is longer: Claude Code at 2 KB of it
INSTRUCTIONS_MAX: Final = 2000
# As the prefixes of backends, so that an address has one spelling
NAME: Final = r"\A[a-z0-9][a-z0-9_-]*\Z"


def offerable() -> Q:
    """Operations a server may offer: tools, and what opens an MCP backend. Callers show an access token of ours."""
    takes_tokens = Q(auth_mode=AuthMode.OAUTH) | Q(auth_mode="", backend__auth_mode=AuthMode.OAUTH)
    return takes_tokens & (Q(tool_name__isnull=False) | ~Q(feature=""))


class McpServer(models.Model):
    """An MCP server at `/mcp/<name>`: a protected resource of its own (RFC 9728)."""

    name = models.CharField(
        _("name"), max_length=50, unique=True,
        validators=[RegexValidator(NAME, _("Lower-case letters, digits, - and _."))],
        help_text=_("Short and lasting: the address ends in it."),
    )  # fmt: skip
    title = models.CharField(
        _("title"), max_length=64, blank=True, default="", help_text=_("What people read. Empty: the name.")
    )
    instructions = models.TextField(
        _("instructions for models"), blank=True, default="", validators=[MaxLengthValidator(INSTRUCTIONS_MAX)],
        help_text=_("What a model should know before it uses a tool: what they are for, and which comes first."),
    )  # fmt: skip
    operations = models.ManyToManyField(
        Operation, related_name="servers", blank=True, limit_choices_to=offerable, verbose_name=_("operations"),
        help_text=_("Each is a tool, or what it has of an MCP backend. Search by operation id, title or path."),
    )  # fmt: skip
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Off: its address answers nothing."))

    class Meta:
        verbose_name = _("MCP server")
        verbose_name_plural = _("MCP servers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where clients connect, below the issuer."""
        return f"{MCP_PATH}/{self.name}"

    @property
    def shown_title(self) -> str:
        """What people read."""
        return self.title or self.name

    @classmethod
    def scopes_by_path(cls) -> dict[str, set[str]]:
        """What the enabled operations of each server require, by its path; `/mcp` offers all there are."""
        offered = Operation.objects.filter(offerable(), enabled=True)
        found = {MCP_PATH: {scope for lists in offered.values_list("scopes", "any_scopes") for scope in chain(*lists)}}
        for server in cls.objects.prefetch_related(Prefetch("operations", offered)):
            found[server.path] = {scope for operation in server.operations.all() for scope in operation.named_scopes}
        return found

    def clean(self) -> None:
        """Refuse a name that would share its address.

        Raises:
            ValidationError: a backend answers there.
        """
        if Backend.objects.filter(prefix=self.path).exists():
            raise ValidationError({"name": [gettext("A backend answers at this address already.")]})
