"""Queries whose SQL Django writes once (docs/adr/0013)."""

from collections.abc import Callable
from copy import copy
from functools import cache
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row", bound=Model)
# Stands where the key goes while the SQL is written; of Unicode's private use, so that no other value is like it
_KEY = "\ue000key\ue000"


class WrittenOnce(Generic[Row]):
    """Finds the first row for a text.

    `build` makes the query for it, which may differ in that text and in nothing else: neither in the language, nor in
    the moment, nor in what a setting says.
    """

    def __init__(self, build: Callable[[str], QuerySet[Row]]) -> None:
        self._build = build
        self._written = cache(self._write)

    def first(self, key: str) -> Row | None:
        """The row as the query itself would find it, None when there is none.

        Raises:
            TransactionManagementError: it locks, and there is no transaction.
            django.db.Error: as any query.
        """
        connection = connections[DEFAULT_DB_ALIAS]
        compiler, sql, parameters = self._written(connection.vendor)
        if compiler.query.select_for_update and not connection.in_atomic_block:
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        # What it knows of the columns is read only; the connection is this thread's
        own = copy(compiler)
        own.connection = connection
        own.as_sql = lambda *_args, **_options: (sql, tuple(key if each == _KEY else each for each in parameters))
        query = SimpleNamespace(get_compiler=lambda **_using: own)
        rows: Any = SimpleNamespace(db=DEFAULT_DB_ALIAS, query=query, _known_related_objects={})
        return next(iter(ModelIterable(rows)), None)

    def _write(self, vendor: str) -> tuple[Any, str, tuple[Any, ...]]:
        """For one kind of database."""
        del vendor
        compiler = self._build(_KEY)[:1].query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        if _KEY not in parameters:
            raise ValueError("the query does not compare the key as it is given")
        return compiler, sql, tuple(parameters)
