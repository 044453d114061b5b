"""What staff decide about clients that come by themselves, and what is kept of each registration."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oauth_provider.clients.models import Client


class Mode(models.TextChoices):
    """Who may come in by itself."""

    OFF = "off", _("Nobody")
    LISTED = "listed", _("Only programs on the list")
    APPROVAL = "approval", _("Everybody, after approval by staff")
    OPEN = "open", _("Everybody")


class RegistrationPolicy(models.Model):
    """One row: the rules for all clients that nobody of the staff made. Without the row its defaults hold."""

    SINGLETON = 1

    mode = models.CharField(
        _("who may register itself"),
        max_length=10,
        choices=Mode,
        default=Mode.APPROVAL,
        help_text=_("Programs on the list come in at once, unless nobody may; blocked ones never do."),
    )
    document_mode = models.CharField(
        _("who may come with a metadata document"),
        max_length=10,
        choices=Mode,
        default=Mode.APPROVAL,
        help_text=_("Clients whose client id is the address of a document that describes them."),
    )
    default_resource = models.CharField(
        _("API they call"),
        max_length=200,
        blank=True,
        help_text=_("Their tokens are good for this API when they name none. Empty: they must name one."),
    )
    unused_hours = models.PositiveSmallIntegerField(
        _("hours until an unused registration is forgotten"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_("Unused: nobody has ever allowed it anything."),
    )
    idle_days = models.PositiveSmallIntegerField(
        _("days until an idle client is forgotten"),
        default=90,
        validators=[MinValueValidator(7), MaxValueValidator(3650)],
        help_text=_("Idle: nobody allowed it anything in that time, and it called nothing."),
    )
    max_unused = models.PositiveIntegerField(
        _("most unused registrations at a time"),
        default=1000,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("When there are that many, further ones are refused until some are used or forgotten."),
    )

    class Meta:
        verbose_name = _("registration policy")
        verbose_name_plural = _("registration policy")

    def __str__(self) -> str:
        return str(_("Registration policy"))


class Verdict(models.TextChoices):
    """What the list says of a program."""

    ALLOWED = "allowed", _("Comes in at once")
    BLOCKED = "blocked", _("Is refused")


class NamedBy(models.TextChoices):
    """What an entry of the list compares."""

    CLIENT_ID = "client_id", _("Client id, or the address of its metadata document")
    FINGERPRINT = "fingerprint", _("Fingerprint: every registration of the same program")


class ListedClient(models.Model):
    """A program that staff decided about once and for all, compared letter by letter."""

    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    named_by = models.CharField(_("named by"), max_length=12, choices=NamedBy, default=NamedBy.CLIENT_ID)
    value = models.CharField(_("value"), max_length=255)
    note = models.CharField(_("note"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("listed program")
        verbose_name_plural = _("listed programs")
        ordering = ["value"]
        constraints = [models.UniqueConstraint(fields=["named_by", "value"], name="listed_once")]

    def __str__(self) -> str:
        return self.value

    @property
    def target(self) -> str:
        """What events call it: by what it compares."""
        return f"listed:{self.named_by}:{self.value}"[:200]


class InitialAccessToken(models.Model):
    """Lets a program register whatever the policy says (RFC 7591 section 3); only its SHA-256 is stored."""

    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("ends in"), max_length=4, editable=False)
    max_uses = models.PositiveSmallIntegerField(
        _("registrations it is good for"), default=1, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    uses = models.PositiveSmallIntegerField(_("registrations made with it"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Neither revoked, nor expired, nor used up."""
        return self.revoked_at is None and self.expires_at > timezone.now() and self.uses < self.max_uses


class Registration(models.Model):
    """What a client said of itself, as it was answered, and the token it may change that with (RFC 7592)."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="registration")
    metadata = models.JSONField(default=dict)
    token_digest = models.CharField(max_length=64, unique=True)
    token_expires_at = models.DateTimeField()
    invitation = models.ForeignKey(
        InitialAccessToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="registrations"
    )
    # Deleted by the client itself while people still see their connections with it
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.client)
