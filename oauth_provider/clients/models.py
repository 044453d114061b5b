"""Client: an application that asks to act for people; and its secrets."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication, ApplicationManager

from oauth_provider.clients.public_keys import check_public_keys
from oauth_provider.clients.redirect_uris import check_redirect_uris
from oauth_provider.scopes.openid import OPENID_SCOPES

# A custom GPT's callback; OpenAI serves it under both hosts, and the id is the GPT's own
CHATGPT_ACTION_CALLBACK = re.compile(r"https://(?:chat\.openai\.com|chatgpt\.com)/aip/g-[A-Za-z0-9_-]+/oauth/callback")


class Preset(models.TextChoices):
    """What kind of program a client is; decides the first values of its form."""

    GPT = "gpt", _("Custom GPT with an Action")
    CHATGPT = "chatgpt", _("ChatGPT app or connector")
    CLAUDE = "claude", _("Claude")
    CLAUDE_CODE = "claude-code", _("Claude Code")
    CURSOR = "cursor", _("Cursor")
    VSCODE = "vscode", _("VS Code")
    SERVICE = "service", _("A service without a user")
    OTHER = "other", _("Another application")


class Trust(models.TextChoices):
    """How well the client's identity is known; shown to people in words on the consent page."""

    VERIFIED = "verified", _("Verified by our staff")
    PROVEN = "proven", _("Identity proven by its domain")
    CLAIMED = "claimed", _("Claims a domain")
    UNVERIFIED = "unverified", _("Unverified")


class Origin(models.TextChoices):
    """How a client came to be known here."""

    STAFF = "staff", _("Made by staff")
    ENVIRONMENT = "environment", _("From the environment")
    DYNAMIC = "dynamic", _("Registered itself")
    DOCUMENT = "document", _("Read from its metadata document")


class Approval(models.TextChoices):
    """Whether staff let a client that came by itself in."""

    APPROVED = "approved", _("Approved")
    PENDING = "pending", _("Waits for approval")
    DECLINED = "declined", _("Declined")


class AuthMethod(models.TextChoices):
    """How a client proves itself; which of the ways without a key is never pinned."""

    ANY = "", _("Its secret, or none when it has none")
    PRIVATE_KEY_JWT = "private_key_jwt", _("A signature with its own key (private_key_jwt)")


SELF_MADE = frozenset({Origin.DYNAMIC, Origin.DOCUMENT})


class Client(AbstractApplication):
    """django-oauth-toolkit's application model, swapped: what staff decide about one client."""

    # Secrets live in ClientSecret; the library's own column would cost a slow hash at every save
    client_secret = models.CharField(max_length=255, blank=True, default="", editable=False)
    preset = models.CharField(_("kind"), max_length=20, choices=Preset, default=Preset.OTHER)
    trust = models.CharField(_("trust"), max_length=12, choices=Trust, default=Trust.UNVERIFIED)
    trust_reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("trust reviewed by"),
    )
    trust_reviewed_at = models.DateTimeField(_("trust reviewed at"), null=True, blank=True, editable=False)
    origin = models.CharField(
        _("origin"), max_length=12, choices=Origin, default=Origin.STAFF, db_default=Origin.STAFF.value, editable=False
    )
    approval = models.CharField(
        _("approval"),
        max_length=10,
        choices=Approval,
        default=Approval.APPROVED,
        db_default=Approval.APPROVED.value,
        editable=False,
    )
    registered_at = models.DateTimeField(_("registered at"), null=True, blank=True, editable=False)
    # Until then a client that registered itself is in quarantine: nobody has used it, and it is soon forgotten
    first_consented_at = models.DateTimeField(_("first allowed at"), null=True, blank=True, editable=False)
    fingerprint = models.CharField(
        _("fingerprint"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        db_index=True,
        editable=False,
        help_text=_("The same for all registrations of the same program."),
    )
    client_uri = models.CharField(_("home page"), max_length=2000, blank=True, default="", db_default="")
    logo_uri = models.CharField(_("logo"), max_length=2000, blank=True, default="", db_default="")
    policy_uri = models.CharField(_("privacy policy"), max_length=2000, blank=True, default="", db_default="")
    tos_uri = models.CharField(_("terms of service"), max_length=2000, blank=True, default="", db_default="")
    token_endpoint_auth_method = models.CharField(
        _("how it proves itself"),
        max_length=32,
        choices=AuthMethod,
        blank=True,
        default=AuthMethod.ANY,
        db_default="",
    )
    jwks = models.TextField(_("public keys"), blank=True, default="", db_default="")
    jwks_uri = models.CharField(_("address of its public keys"), max_length=2000, blank=True, default="", db_default="")
    allowed_scopes = models.TextField(
        _("permissions it may ask for"), blank=True, help_text=_("Names separated by spaces. An empty list means none.")
    )
    default_scopes = models.TextField(
        _("permissions when it names none"),
        blank=True,
        help_text=_("Used for a request without scope. Empty: its read permissions."),
    )
    default_resource = models.CharField(
        _("default resource"),
        max_length=200,
        blank=True,
        help_text=_("The path of the API its tokens are good for when it names none, such as /api/v1/gpt."),
    )
    allow_json_token_requests = models.BooleanField(
        _("accept JSON at the token endpoint"),
        default=False,
        help_text=_("Some GPT Actions send JSON instead of a form."),
    )
    access_token_lifetime_s = models.PositiveIntegerField(_("access token lifetime (seconds)"), default=3600)
    # Unused for that long, and for all refreshes of one consent together
    refresh_token_lifetime_s = models.PositiveIntegerField(_("refresh token lifetime (seconds)"), default=30 * 86400)
    refresh_token_absolute_lifetime_s = models.PositiveIntegerField(
        _("longest time without a new sign-in (seconds)"), default=180 * 86400, db_default=180 * 86400
    )
    may_exchange_tokens = models.BooleanField(
        _("may exchange access tokens"),
        default=False,
        db_default=False,
        help_text=_("For one of its own access tokens it gets another with fewer permissions, for a part of itself."),
    )
    device_grant_allowed = models.BooleanField(
        _("may connect devices by a code"),
        default=False,
        db_default=False,
        help_text=_("For a device without a browser: people type a code on this server’s page (RFC 8628)."),
    )
    exchanges_for = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="exchanged_by",
        verbose_name=_("exchanges tokens of"),
        help_text=_("Other clients whose access tokens it may exchange for tokens of its own."),
    )
    introspects = models.ManyToManyField(
        "oauth_provider.Resource",
        blank=True,
        related_name="introspectors",
        verbose_name=_("API it serves"),
        help_text=_("It may ask about every access token that is good for this API."),
    )
    suspended_at = models.DateTimeField(_("suspended at"), null=True, blank=True, editable=False)
    suspension_reason = models.CharField(_("reason of the suspension"), max_length=500, blank=True, editable=False)

    objects = ApplicationManager()

    class Meta(AbstractApplication.Meta):
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"
        verbose_name = _("client")
        verbose_name_plural = _("clients")

    def clean(self) -> None:
        """Check the redirect URIs by our rules; the library's refuse a GPT that still waits for its callback.

        Raises:
            ValidationError: by field.
        """
        try:
            check_redirect_uris(self.redirect_uris.split(), public=not self.is_confidential)
        except ValidationError as fault:
            raise ValidationError({"redirect_uris": fault.error_list}) from fault
        check_public_keys(method=self.token_endpoint_auth_method, jwks=self.jwks, jwks_uri=self.jwks_uri)

    @property
    def is_suspended(self) -> bool:
        """Staff stopped everything this client does."""
        return self.suspended_at is not None

    @property
    def is_self_made(self) -> bool:
        """Nobody of the staff made it: it registered itself, or was read from its own document."""
        return self.origin in SELF_MADE

    @property
    def is_quarantined(self) -> bool:
        """It came by itself and nobody has allowed it anything yet."""
        return self.is_self_made and self.first_consented_at is None

    @property
    def is_confidential(self) -> bool:
        """It can keep a secret (RFC 6749 section 2.1)."""
        return str(self.client_type) == self.CLIENT_CONFIDENTIAL

    @property
    def is_native(self) -> bool:
        """It may run on a person's computer, where it chooses the port of its loopback address (RFC 8252 section 7.3).

        A client of our staff that keeps a secret runs on a server, and its address is compared to the letter.
        """
        return self.is_self_made or not self.is_confidential

    @property
    def scope_set(self) -> frozenset[str]:
        """Names of the scopes that staff let it ask for."""
        return frozenset(self.allowed_scopes.split())

    @property
    def askable_scopes(self) -> frozenset[str]:
        """`scope_set` and, where people connect it, what every client may ask about a person."""
        is_service = str(self.authorization_grant_type) == self.GRANT_CLIENT_CREDENTIALS
        return self.scope_set if is_service else self.scope_set | OPENID_SCOPES

    @property
    def requires_pkce(self) -> bool:
        """True but for GPT Actions, which send no challenge: confidential, and all redirects are ChatGPT's own."""
        uris = self.redirect_uris.split()
        exempt = (
            self.preset == Preset.GPT
            and self.is_confidential
            and bool(uris)
            and all(CHATGPT_ACTION_CALLBACK.fullmatch(uri) for uri in uris)
        )
        return not exempt

    def get_allowed_schemes(self) -> list[str]:
        """The schemes of the redirect URIs staff registered: matching is exact, so nothing more is needed."""
        return sorted({urlsplit(uri).scheme for uri in self.redirect_uris.split()} | {"https"})

    def is_usable(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the library's signature
        """Asked by the library at authorize, token and bearer validation."""
        return not self.is_suspended and self.approval == Approval.APPROVED

    def get_absolute_url(self) -> str:
        """The library's own pages are not mounted; the admin is where a client lives."""
        return f"/admin/oauth_provider/client/{self.pk}/change/"


class ClientSecret(models.Model):
    """One of at most two live secrets; only the SHA-256 of 256 random bits is stored, so no slow hash is needed."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(_("ends in"), max_length=4)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("client secret")
        verbose_name_plural = _("client secrets")
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"…{self.hint}"
