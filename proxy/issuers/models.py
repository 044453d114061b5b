"""Issuer: an authorization server of somebody else whose tokens open backends in the auth mode `issuer`."""

import ipaddress
import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oauth_provider.outbound.addresses import is_allowed
from proxy.catalogue.addresses import BadUpstreamUrl, parse_upstream_url
from proxy.catalogue.models import is_text_list
from proxy.issuers.jwks import ALGORITHMS
from proxy.issuers.subject import MAPPED, MAX_TEXT

MAX_AUDIENCES = 50
MAX_AUDIENCE = 500
_ISSUER = re.compile(r"\Ahttps?://[!-\"$->@-~]+\Z")
_QUERY = re.compile(r"\A[!-\"$-\[\]-~]*\Z")


def default_algorithms() -> list[str]:
    """What nearly every issuer signs with."""
    return ["RS256"]


class Issuer(models.Model):
    """Somebody else's authorization server. `audience` is a text or a list, as in a token (RFC 7519 section 4.1.3)."""

    name = models.SlugField(
        _("name"), max_length=50, unique=True, help_text=_("Short and lasting: it appears in the audit log.")
    )
    issuer = models.CharField(
        _("issuer"), max_length=500, unique=True,
        help_text=_("The iss of its tokens, letter by letter, a slash at the end included."),
    )  # fmt: skip
    audience = models.JSONField(
        _("audience"),
        help_text=_("The aud of tokens meant for this gateway. An audience that is the address of one of our backends "
                    "opens that backend only."),
    )  # fmt: skip
    jwks_url = models.CharField(
        _("JWKS URL"), max_length=500, help_text=_("Where it publishes its keys: https://…/.well-known/jwks.json")
    )
    algorithms = models.JSONField(
        _("algorithms"),
        default=default_algorithms,
        help_text=_("What its tokens may be signed with, and nothing else."),
    )
    claims = models.JSONField(
        _("claims"), default=dict, blank=True,
        help_text=_('Which claim holds what, as {"user": "sub", "scopes": "permissions"}.'),
    )  # fmt: skip
    allow_private = models.BooleanField(
        _("internal address"), default=False, help_text=_("On: the JWKS URL may be http, private or on this machine.")
    )
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Off: its tokens open nothing."))

    class Meta:
        verbose_name = _("issuer")
        verbose_name_plural = _("issuers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def audiences(self) -> list[str]:
        """Every audience."""
        return [self.audience] if isinstance(self.audience, str) else self.audience

    def clean(self) -> None:
        """Refuse whatever the data plane could not run, or could run into trouble with.

        Raises:
            ValidationError: by field.
        """
        found = {
            "issuer": self._issuer_fault(),
            "audience": self._audience_fault(),
            "jwks_url": self._jwks_url_fault(),
            "algorithms": self._algorithms_fault(),
            "claims": claims_fault(self.claims),
        }
        if faults := {name: [words] for name, words in found.items() if words}:
            raise ValidationError(faults)

    def _issuer_fault(self) -> str:
        if not _ISSUER.match(self.issuer) or (self.issuer.startswith("http:") and not self.allow_private):
            return gettext("An https URL without ? or #, exactly as the tokens have it.")
        if self.issuer.rstrip("/").lower() == settings.PUBLIC_BASE_URL.lower():
            return gettext("This gateway's own tokens count without being registered here.")
        return ""

    def _audience_fault(self) -> str:
        texts = self.audiences
        if not is_text_list(texts) or not 0 < len(texts) <= MAX_AUDIENCES or len(set(texts)) != len(texts):
            return gettext("One audience or a list of them, each once.")
        if not all(0 < len(text) <= MAX_AUDIENCE and text.isprintable() and text == text.strip() for text in texts):
            return gettext("Each audience is a text of at most 500 characters, such as https://api.example.com.")
        return ""

    def _jwks_url_fault(self) -> str:
        place, _mark, query = self.jwks_url.partition("?")
        if not _QUERY.match(query):
            return gettext("The query of this URL cannot be read.")
        try:
            base = parse_upstream_url(place, own_origin=settings.PUBLIC_BASE_URL)
        except BadUpstreamUrl as fault:
            return gettext(str(fault))
        if base.scheme != "https" and not self.allow_private:
            return gettext("Use https, or mark it as internal.")
        if _is_address(base.host) and not is_allowed(base.host, allow_private=self.allow_private):
            return gettext("This address is internal: mark it as such, if it is meant.")
        return ""

    def _algorithms_fault(self) -> str:
        names = self.algorithms
        if not is_text_list(names) or not names or not set(names) <= set(ALGORITHMS) or len(set(names)) != len(names):
            return gettext("A list of %(names)s.") % {"names": ", ".join(ALGORITHMS)}
        return ""


def claims_fault(claims: object) -> str:
    """What is wrong with a mapping of claims, "" when nothing is."""
    if not isinstance(claims, dict) or not claims.keys() <= MAPPED.keys():
        return gettext("A mapping of %(names)s to the name of a claim.") % {"names": ", ".join(MAPPED)}
    values = claims.values()
    if not all(isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable() for value in values):
        return gettext("Each claim is a name of at most 200 characters; leave out what no claim holds.")
    return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
