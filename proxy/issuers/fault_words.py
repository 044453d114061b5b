"""Why an issuer's keys could not be had, in the words of staff, each with what to do."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_WORDS: Final[Mapping[str, Promise]] = {
    "url_refused": _("The URL cannot be used: it needs https and a host name, or the mark of an internal address."),
    "port_refused": _("The port is one that is never asked for documents."),
    "address_refused": _("The name leads to an internal address. If that is meant, mark the issuer as internal."),
    "name_unresolved": _("The name leads nowhere. Is it spelt right?"),
    "connection_failed": _("Nobody answers there."),
    "tls_failed": _("Its certificate is not one that is trusted for this name."),
    "deadline_passed": _("It did not answer in time."),
    "answer_unreadable": _("It answered with something that is not HTTP, or compressed what was not to be."),
    "answer_too_large": _("Its answer is too large for a list of keys."),
    "answer_status": _("It answered, but not with 200. A redirect is not followed: give the URL it leads to."),
    "not_json": _("It answered with something that is not JSON. Is this the URL of the keys?"),
    "not_a_key_set": _("It answered with JSON that has no list of keys. Is this the URL of the keys?"),
    "too_many_keys": _("It publishes more keys than anybody needs."),
    "private_key": _("It publishes a private key. Whoever runs it should know at once."),
    "no_usable_key": _("It publishes no key for RS256, ES256 or EdDSA."),
}


def fault_words(slug: str) -> str:
    """The words for the reason of a `JwksFault`."""
    return str(_WORDS.get(slug, _("Its keys cannot be had.")))
