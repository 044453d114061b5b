"""What staff type to find events: plain words for anything, `key:value` for one thing; all must hold."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from audit.ledger.kinds import Decision, Kind
from audit.ledger.people import client_ids_matching, pseudonyms_matching

_TERM = re.compile(r'(?:([a-z]+):)?"([^"]*)"|(\S+)')
_MAX_STATUS = 999


class BadSearch(ValueError):
    """A value cannot be understood; the message is for the person who typed it."""


def search_filter(text: str) -> Q:
    """The events that `text` describes: each `key:value` of it, and the rest of it as one phrase.

    Values are compared whole, because a ledger is too long for LIKE; people and clients are also found by their names.

    Raises:
        BadSearch: a decision, status or time that is none.
    """
    wanted, words = Q(), []
    for key, quoted, word in _TERM.findall(text):
        name, value = (key, quoted) if quoted or not word else _split(word)
        if name in KEYS and value:
            wanted &= KEYS[name](value)
        else:
            words.append(word or quoted)
    phrase = " ".join(words).strip()
    return wanted & _anything(phrase) if phrase else wanted


def _split(word: str) -> tuple[str, str]:
    name, colon, value = word.partition(":")
    return (name, value) if colon else ("", word)


def _anything(phrase: str) -> Q:
    found = Q(request_id=phrase) | Q(operation=phrase) | Q(connection=phrase) | Q(backend=phrase)
    found |= Q(reason=phrase) | Q(token=phrase) | Q(target=phrase) | Q(kind=phrase) | Q(client_id=phrase)
    if people := pseudonyms_matching(phrase):
        found |= Q(subject__in=people) | Q(actor__in=people)
    if clients := client_ids_matching(phrase):
        found |= Q(client_id__in=clients)
    try:
        identifier = UUID(phrase)
    except ValueError:
        return found
    return found | Q(id=identifier) | Q(connection=str(identifier))


def _client(value: str) -> Q:
    return Q(client_id=value) | Q(client_id__in=client_ids_matching(value))


def _decision(value: str) -> Q:
    if value not in set(Decision):
        raise BadSearch(_("A decision is one of %(names)s.") % {"names": ", ".join(Decision)})
    return Q(decision=value)


def _kind(value: str) -> Q:
    if value not in set(Kind):
        raise BadSearch(_("There is no kind of event called %(name)s.") % {"name": value})
    return Q(kind=value)


def _status(value: str) -> Q:
    if not (value.isascii() and value.isdigit() and int(value[:4]) <= _MAX_STATUS):
        raise BadSearch(_("A status is a number such as 403."))
    return Q(status=int(value))


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadSearch(_("A time looks like 2026-11-25 or 2026-11-25T14:30, in UTC.")) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


KEYS: Final[Mapping[str, Callable[[str], Q]]] = {
    "user": lambda value: Q(subject__in=pseudonyms_matching(value)),
    "staff": lambda value: Q(actor__in=pseudonyms_matching(value)),
    "client": _client,
    "operation": lambda value: Q(operation=value),
    "backend": lambda value: Q(backend=value),
    "connection": lambda value: Q(connection=value),
    "request": lambda value: Q(request_id=value),
    "reason": lambda value: Q(reason=value),
    "decision": _decision,
    "kind": _kind,
    "status": _status,
    "since": lambda value: Q(timestamp__gte=_moment(value)),
    "until": lambda value: Q(timestamp__lt=_moment(value)),
}
