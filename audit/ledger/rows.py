"""From drafts to rows: pseudonyms, lengths, and the insert of either database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from json import dumps
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.ledger.events import Draft, UserRef
from audit.ledger.models import Event, Subject

Row = tuple[Any, ...]

SCHEMA_VERSION = 1
_TABLE = Event._meta.db_table
_COLUMNS = tuple(field.column for field in Event._meta.concrete_fields)
_LENGTHS = {
    field.column: field.max_length for field in Event._meta.concrete_fields if isinstance(field, models.CharField)
}
_SPECIAL = frozenset({"id", "v", "timestamp", "subject", "actor", "fields"})
_PLAIN = tuple(name for name in _COLUMNS if name not in _SPECIAL)
_plain_of = attrgetter(*_PLAIN)
# None where a text may have any length
_PLAIN_LENGTHS = tuple(_LENGTHS.get(name) for name in _PLAIN)
_ORDER = ("id", "v", "timestamp", "subject", "actor", "fields", *_PLAIN)
_LIST = ", ".join(f'"{name}"' for name in _ORDER)
# How many rows one statement inserts at most. SQLite lets go of the interpreter once for each statement, and in a busy
# process gets it back only when the event loop pauses; each size is prepared once and for all
AT_ONCE = 50
# Of those who do not share the interpreter with calls: half of what SQLite has parameters for
AT_ONCE_LOGGED = 500
_COPY = f'COPY "{_TABLE}" ({_LIST}) FROM STDIN'


def users_of(drafts: Iterable[Draft]) -> set[UserRef]:
    """Every user the drafts mention."""
    return {user for draft in drafts for user in (draft.user, draft.actor) if user is not None}


def resolve(using: str, users: Iterable[UserRef]) -> dict[UserRef, str]:
    """The pseudonym of each user, made where there is none; inside the caller's transaction on alias `using`."""
    wanted = sorted(users, key=lambda user: user.user_id)
    if not wanted:
        return {}
    subjects = Subject.objects.using(using)
    ids = [user.user_id for user in wanted]
    known = {subject.user_id: subject for subject in subjects.filter(user_id__in=ids)}
    missing = {user.user_id: user for user in wanted if user.user_id not in known}
    if missing:
        # Another worker may make the same one at the same moment: the first stays, both read it
        subjects.bulk_create(
            [Subject(user_id=user.user_id, external_id=user.external_id) for user in missing.values()],
            ignore_conflicts=True,
        )
        known |= {subject.user_id: subject for subject in subjects.filter(user_id__in=list(missing))}
    for user in wanted:
        if known[user.user_id].external_id != user.external_id:
            subjects.filter(user_id=user.user_id).update(external_id=user.external_id)
    return {user: known[user.user_id].pseudonym for user in wanted}


def row_of(draft: Draft, pseudonyms: Mapping[UserRef, str]) -> Row:
    """The draft's values in the order of the insert; texts cut to their columns, without NUL (PostgreSQL has none)."""
    plain = [
        value if value is None or value == "" or value.__class__ is int else _clean(value, length)
        for value, length in zip(_plain_of(draft), _PLAIN_LENGTHS, strict=True)
    ]
    return (
        draft.id,
        SCHEMA_VERSION,
        draft.timestamp,
        pseudonyms[draft.user] if draft.user else "",
        pseudonyms[draft.actor] if draft.actor else "",
        dumps(draft.fields) if draft.fields else "[]",
        *plain,
    )


def _clean(value: object, length: int | None) -> object:
    if not isinstance(value, str):
        return value
    # str() drops the enumeration's type: drivers adapt by exact type
    text = str(value)
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if length is None or len(text) <= length else text[:length]


def insert(connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> None:
    """Write the rows in the connection's current transaction; raises django.db.Error."""
    if connection.vendor == "postgresql":
        _copy(connection, rows)
        return
    with connection.cursor() as cursor:
        _insert(rows, cursor.execute, mark="%s", most=AT_ONCE_LOGGED)


def insert_unlogged(connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> None:
    """The same past Django's cursor and its log of queries, which cost as much as the row does.

    No more than AT_ONCE rows need no transaction around them: they are one statement.
    """
    if connection.vendor == "postgresql":
        _copy(connection, rows)
        return
    connection.ensure_connection()
    with connection.wrap_database_errors:
        _insert(rows, connection.connection.execute, mark="?", most=AT_ONCE)


def missing_rows(using: str, rows: Sequence[Row]) -> list[Row]:
    """The rows whose id is not in the ledger yet, so that a batch of unknown fate can be written again."""
    ids = [row[0] for row in rows if isinstance(row[0], UUID)]
    present = set(Event.objects.using(using).filter(id__in=ids).values_list("id", flat=True))
    return [row for row in rows if row[0] not in present]


def _copy(connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> None:
    # One round trip whatever the number of rows, and no parsing of thousands of placeholders
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _insert(rows: Sequence[Row], execute: Callable[[str, list[Any]], object], *, mark: str, most: int) -> None:
    # As Django writes UUIDs and times there: an event's time is UTC
    values = [(row[0].hex, row[1], str(row[2].replace(tzinfo=None)), *row[3:]) for row in rows]
    for start in range(0, len(values), most):
        part = values[start : start + most]
        execute(_insert_of(len(part), mark), [*chain.from_iterable(part)])


@lru_cache(maxsize=2 * AT_ONCE)
def _insert_of(size: int, mark: str) -> str:
    row = f"({', '.join([mark] * len(_ORDER))})"
    return f'INSERT INTO "{_TABLE}" ({_LIST}) VALUES {", ".join([row] * size)}'  # noqa: S608 - column names
