"""Backend and Operation: what staff connect, validated by the code that runs it."""

import re
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oauth_provider.keys.encryption import Undecipherable, decrypt, encrypt
from oauth_provider.scopes.models import Scope
from proxy.catalogue.addresses import BadUpstreamUrl, parse_upstream_url, prefix_faults
from proxy.catalogue.credentials import (
    MAX_NAME,
    Credential,
    NoCredential,
    header_name_of,
    opened,
    seal,
)
from proxy.catalogue.identity_places import identity_header_faults, identity_query_faults
from proxy.catalogue.mcp_backends.features import NAME_MAX, OPENED_ALREADY, backend_faults, feature_faults
from proxy.catalogue.media_types import JSON_TYPE, MEDIA_TYPE_MAX
from proxy.catalogue.needs import in_words
from proxy.catalogue.paths import DOCUMENT_PATHS, BadTemplate, compile_template
from proxy.catalogue.rpc_methods import METHOD_MAX, rpc_faults
from proxy.catalogue.schemas import check_annotations, check_parameters, check_schema
from proxy.catalogue.tls import tls_context, tls_faults

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
RESPONSE_MAX: Final = 1 << 40
COST_MAX: Final = 1_000_000
# What every model provider takes as the name of a function
TOOL_NAME = re.compile(r"\A[A-Za-z0-9_-]{1,64}\Z")


class AuthMode(models.TextChoices):
    """What a caller must show."""

    OAUTH = "oauth", _("Sign-in: an access token of this server")
    ISSUER = "issuer", _("Outside sign-in: a token of a registered issuer")
    API_KEY = "api_key", _("API key in X-API-Key")
    PASSTHROUGH = "passthrough", _("Pass through: the backend checks the caller's own Authorization header")
    PUBLIC = "public", _("Public: no credential")


class BackendKind(models.TextChoices):
    """How a backend is spoken to."""

    REST = "rest", _("REST: one operation for each method and path")
    JSONRPC = "jsonrpc", _("JSON-RPC 2.0: operations are also named in the body")
    MCP = "mcp", _("MCP server: tools, prompts and resources of its own")


FEATURES: Final = (("tool", _("Tool")), ("prompt", _("Prompt")), ("resource", _("Resource")))


class Backend(models.Model):
    """A service behind the gateway, reached under one prefix."""

    name = models.SlugField(
        _("name"), max_length=50, unique=True, help_text=_("Short and lasting: it appears in the audit log.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=BackendKind, default=BackendKind.REST)
    prefix = models.CharField(
        _("prefix"),
        max_length=200,
        unique=True,
        help_text=_(
            "Where clients call it: /api/v1/jobs. Cannot end in a slash. Of an MCP server: /mcp/ and its name."
        ),
    )
    upstream_url = models.CharField(
        _("upstream URL"), max_length=500, help_text=_("Where the gateway calls it: https://jobs.internal/api/v2")
    )
    auth_mode = models.CharField(_("who may call"), max_length=12, choices=AuthMode, default=AuthMode.OAUTH)
    allow_private = models.BooleanField(
        _("internal address"), default=False, help_text=_("On: the address may be private or on this machine.")
    )
    timeout_ms = models.PositiveIntegerField(
        _("time for a whole call, ms"), default=30_000, validators=[MinValueValidator(100), MaxValueValidator(600_000)]
    )
    connect_timeout_ms = models.PositiveIntegerField(
        _("time to connect, ms"), default=1_000, validators=[MinValueValidator(50), MaxValueValidator(30_000)]
    )
    max_request_bytes = models.PositiveIntegerField(
        _("largest request body, bytes"), default=1_048_576, validators=[MaxValueValidator(1_073_741_824)]
    )
    max_response_bytes = models.PositiveBigIntegerField(
        _("largest answer, bytes"), null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(RESPONSE_MAX)],
        help_text=_("A longer answer is refused, or broken off when its length was not announced. Empty: no limit."),
    )  # fmt: skip
    max_concurrency = models.PositiveIntegerField(
        _("calls at the same time"), default=64, validators=[MinValueValidator(1), MaxValueValidator(4096)]
    )
    identity_headers = models.JSONField(
        _("further identity headers"), default=list, blank=True,
        help_text=_('Headers that repeat the user id beside X-User-Id, as a list: ["X-Clerk-User-Id"]'),
    )  # fmt: skip
    identity_query = models.CharField(
        _("identity parameter"), max_length=MAX_NAME, blank=True, default="",
        help_text=_("A parameter of the query that repeats the user id, such as user_id. A caller's own never passes."),
    )  # fmt: skip
    credential_sealed = models.TextField(_("credential"), default="", blank=True, editable=False)
    tls_ca = models.TextField(_("trusted authorities"), default="", blank=True)
    tls_client_certificate = models.TextField(_("client certificate"), default="", blank=True)
    tls_client_key_sealed = models.TextField(_("client key"), default="", blank=True, editable=False)
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Off: its prefix answers nothing."))

    class Meta:
        verbose_name = _("backend")
        verbose_name_plural = _("backends")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def credential(self) -> Credential | None:
        """The gateway's own here, opened; None too when no key of ENCRYPTION_KEYS opens it any more."""
        try:
            return opened(self.credential_sealed)
        except Undecipherable:
            return None

    @property
    def tls(self) -> dict[str, str] | None:
        """What may be shown of it; None when there is nothing of its own."""
        if not (self.tls_ca or self.tls_client_certificate):
            return None
        return {"ca": self.tls_ca, "client_certificate": self.tls_client_certificate}

    def tls_context(self) -> SSLContext:
        """What its calls are secured with.

        Raises:
            Undecipherable: its client key cannot be opened any more.
            BadPem: what is stored cannot be used.
        """
        return tls_context(
            ca=self.tls_ca, certificate=self.tls_client_certificate, key_sealed=self.tls_client_key_sealed
        )

    def give(self, *, credential: Credential | NoCredential | None, client_key: str | None) -> None:
        """Seal what is given; None leaves what there is, and an empty key takes it away."""
        if credential is not None:
            self.credential_sealed = seal(credential)
        if client_key is not None:
            self.tls_client_key_sealed = encrypt(client_key.encode()) if client_key else ""

    def clean(self) -> None:
        """Refuse whatever the data plane could not run.

        Raises:
            ValidationError: by field.
        """
        faults: dict[str, list[str]] = {}
        if self.kind == BackendKind.MCP:
            faults |= backend_faults(self)
        else:
            faults |= prefix_faults(self.prefix, taken=settings.OAUTH_ALIAS_PREFIXES)
        try:
            parse_upstream_url(self.upstream_url, own_origin=settings.PUBLIC_BASE_URL)
        except BadUpstreamUrl as fault:
            faults["upstream_url"] = [gettext(str(fault))]
        credential = self.credential
        faults |= identity_header_faults(self.identity_headers, header_name_of(credential))
        faults |= identity_query_faults(self.identity_query, credential)
        faults |= self._tls_faults()
        if faults:
            raise ValidationError(faults)

    def _tls_faults(self) -> dict[str, list[str]]:
        if not (self.tls_ca or self.tls_client_certificate or self.tls_client_key_sealed):
            return {}
        if not self.upstream_url.startswith("https://"):
            return {"tls_ca": [gettext("Only an upstream URL with https uses this.")]}
        try:
            key = decrypt(self.tls_client_key_sealed).decode() if self.tls_client_key_sealed else ""
        except Undecipherable:
            return {"tls_client_key": [gettext("The stored key cannot be opened any more: give it again.")]}
        faults = tls_faults(ca=self.tls_ca, certificate=self.tls_client_certificate, key=key)
        return {f"tls_{name}": [words] for name, words in faults.items()}


class Operation(models.Model):
    """One thing a client may do at a backend: methods, a path, and what it takes."""

    backend = models.ForeignKey(Backend, models.CASCADE, related_name="operations", verbose_name=_("backend"))
    operation_id = models.SlugField(
        _("operation id"), max_length=64, help_text=_("Short and lasting, such as search-jobs or listJobs.")
    )
    methods = models.JSONField(_("methods"), default=list, help_text=_('As a list: ["GET"]. GET also answers HEAD.'))
    path = models.CharField(
        _("path"),
        max_length=500,
        default="/",
        help_text=_("Below the prefix: /jobs/{id}; /files/** for everything below /files."),
    )
    rpc_method = models.CharField(
        _("JSON-RPC method"), max_length=METHOD_MAX, blank=True, default="", db_default="",
        help_text=_("Of a JSON-RPC backend: the method a message names, exactly. Empty: any body at this path."),
    )  # fmt: skip
    feature = models.CharField(
        _("opens"), max_length=10, choices=FEATURES, blank=True, default="", db_default="",
        help_text=_("Of an MCP backend: what it opens. Empty for all other backends."),
    )  # fmt: skip
    feature_name = models.CharField(
        _("its name there"), max_length=NAME_MAX, blank=True, default="", db_default="",
        help_text=_("As the MCP backend has it: a name, a URI, a URI template, or * for all. What the backend says of "
                    "it at the moment you add the operation counts as approved; what it adds or changes later waits."),
    )  # fmt: skip
    scopes = models.JSONField(
        _("scopes"),
        default=list,
        blank=True,
        help_text=_('All of these are needed: ["jobs:read"]. Empty: any signed-in user.'),
    )
    any_scopes = models.JSONField(
        _("alternative scopes"), default=list, blank=True, db_default=models.Value([], models.JSONField()),
        help_text=_('One of these is needed as well: ["jobs:write", "jobs:admin"]. The first is the one to ask for.'),
    )  # fmt: skip
    auth_mode = models.CharField(
        _("who may call"),
        max_length=12,
        choices=AuthMode,
        blank=True,
        default="",
        help_text=_("Empty: as the backend."),
    )
    title = models.CharField(_("title"), max_length=120, blank=True, default="")
    description = models.TextField(_("description"), blank=True, default="")
    max_request_bytes = models.PositiveIntegerField(
        _("largest request body, bytes"), null=True, blank=True, help_text=_("Empty: as the backend.")
    )
    cost = models.PositiveIntegerField(
        _("cost of a call"), default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(COST_MAX)],
        help_text=_("As how many calls one call counts in every limit."),
    )  # fmt: skip
    consequential = models.BooleanField(
        _("asks before it acts"), default=False, help_text=_("On: ChatGPT asks the person each time.")
    )
    idempotent = models.BooleanField(
        _("may be repeated"),
        default=False,
        db_default=False,
        help_text=_(
            "On: the same call again does nothing new. The gateway may repeat it once when the backend does not "
            "answer, and a client that sends an Idempotency-Key again gets the first answer instead of a second effect."
        ),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    tool_name = models.CharField(
        _("tool name"), max_length=64, unique=True, null=True, blank=True, validators=[RegexValidator(TOOL_NAME)],
        help_text=_("What AI clients call it by: letters, digits, _ and -. Empty: it is no tool."),
    )  # fmt: skip
    parameters = models.JSONField(
        _("parameters"), default=list, blank=True,
        help_text=_('As OpenAPI has them: [{"name": "place", "in": "query", "schema": {"type": "string"}}].'),
    )  # fmt: skip
    request_schema = models.JSONField(
        _("request schema"), null=True, blank=True, help_text=_("JSON Schema of the body. Empty: anything.")
    )
    request_type = models.CharField(
        _("media type of the body"), max_length=MEDIA_TYPE_MAX, blank=True, default="", db_default="",
        validators=[RegexValidator(JSON_TYPE, _("application/json, or one that ends in +json."))],
        help_text=_("Of the body of a tool's call, such as application/merge-patch+json. Empty: application/json."),
    )  # fmt: skip
    response_schema = models.JSONField(
        _("response schema"), null=True, blank=True, help_text=_("JSON Schema of the answer. Empty: anything.")
    )
    annotations = models.JSONField(
        _("hints"), default=dict, blank=True,
        help_text=_('What the methods do not say: {"read_only": true, "destructive": false}.'),
    )  # fmt: skip
    ui_resource = models.ForeignKey(
        "proxy.UiResource", models.SET_NULL, null=True, blank=True, related_name="operations", verbose_name=_("page"),
        help_text=_("What AI clients show with its result. Empty: the words alone."),
    )  # fmt: skip

    # What an OpenAPI document last said of it; null: it was made by hand
    imported = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ["backend", "path", "operation_id"]
        constraints = [
            models.UniqueConstraint(fields=["backend", "operation_id"], name="operation_id_per_backend"),
            models.UniqueConstraint(
                fields=["backend", "feature", "feature_name"], condition=~models.Q(feature=""), name="opened_once",
                violation_error_message=OPENED_ALREADY,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.backend.name}/{self.operation_id}" if self.backend_id else self.operation_id

    @property
    def named_scopes(self) -> set[str]:
        """Every scope it names, needed or one of a choice."""
        return {name for names in (self.scopes, self.any_scopes) if is_text_list(names) for name in names}

    @property
    def needs(self) -> str:
        """The same as the ledger says it."""
        return in_words(self.scopes, [self.any_scopes])

    @property
    def needs_shown(self) -> str:
        """The same for people."""
        choice = gettext(" or ").join(self.any_scopes)
        return ", ".join([*self.scopes, choice] if choice else self.scopes) or "–"

    def clean(self) -> None:
        """Refuse whatever the data plane could not run.

        Raises:
            ValidationError: by field.
        """
        self.clean_with(known_scopes(self.named_scopes))

    def clean_with(self, scopes: set[str]) -> None:
        """The same for a caller who knows which `scopes` exist.

        Raises:
            ValidationError: by field.
        """
        faults: dict[str, list[str]] = {}
        try:
            names = frozenset(compile_template(self.path).names)
        except BadTemplate as fault:
            faults["path"], names = [gettext(str(fault))], None
        if self.path in DOCUMENT_PATHS and self._takes_tokens():
            faults["path"] = [gettext("The gateway's own OpenAPI document is at this path: choose another one.")]
        faults |= self._schema_faults(names)
        if self.backend_id:
            faults |= rpc_faults(self, kind=self.backend.kind, backend_mode=self.backend.auth_mode)
            faults |= feature_faults(self, kind=self.backend.kind)
        if not is_text_list(self.methods) or not self.methods or not set(self.methods) <= set(METHODS):
            faults["methods"] = [gettext("A list of %(methods)s.") % {"methods": ", ".join(METHODS)}]
        for name in ("scopes", "any_scopes"):
            faults |= _scope_faults(name, getattr(self, name), known=scopes)
        if not faults and (both := sorted(set(self.scopes) & set(self.any_scopes))):
            faults["any_scopes"] = [gettext("Needed in any case: %(names)s.") % {"names": ", ".join(both)}]
        if faults:
            raise ValidationError(faults)

    def _takes_tokens(self) -> bool:
        modes = {self.auth_mode, self.backend.auth_mode if self.backend_id else ""}
        return AuthMode.OAUTH in modes

    def _schema_faults(self, names: frozenset[str] | None) -> dict[str, list[str]]:
        found = {"annotations": _fault_of(check_annotations, self.annotations)}
        if names is not None:
            found["parameters"] = _fault_of(check_parameters, self.parameters, path_names=names)
        for name in ("request_schema", "response_schema"):
            if getattr(self, name) is not None:
                found[name] = _fault_of(check_schema, getattr(self, name))
        return {name: words for name, words in found.items() if words}


def _fault_of(check: Callable[..., None], value: object, **facts: object) -> list[str]:
    try:
        check(value, **facts)
    except ValidationError as fault:
        return list(fault.messages)
    return []


def is_text_list(value: object) -> bool:
    """Whether a JSON field holds a list of texts, as methods, scopes and header names must."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _scope_faults(name: str, given: object, *, known: set[str]) -> dict[str, list[str]]:
    if not isinstance(given, list) or not is_text_list(given):
        return {name: [gettext("A list of scope names.")]}
    missing = ", ".join(sorted(set(given) - known))
    return {name: [gettext("No such scope: %(names)s.") % {"names": missing}]} if missing else {}


def known_scopes(names: Iterable[str]) -> set[str]:
    """Those of `names` that are scopes, enabled or not."""
    return set(Scope.objects.filter(name__in=list(names)).values_list("name", flat=True))
