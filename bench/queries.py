"""Count SQL statements: `python -m bench.queries`, with the settings of the server whose requests these are.

Standard input is a JSON list of token requests (path and form), one of which may take its refresh token from the answer
before; printed is the number of statements of each.
"""

import json
import sys
from collections.abc import Callable
from urllib.parse import urlencode

import django
from django.db import connections
from django.test import Client

FORM = "application/x-www-form-urlencoded"


class Counter:
    """Wraps every statement of a connection."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, execute: Callable[..., object], sql: str, *rest: object) -> object:
        """Count one."""
        self.statements.append(sql)
        return execute(sql, *rest)


def main() -> None:
    """Send every request in this process."""
    django.setup()
    browser, counts, token = Client(), [], ""
    for path, form in json.load(sys.stdin):
        counter = Counter()
        sent = {name: token if value == "$refresh_token" else value for name, value in form.items()}
        with connections["default"].execute_wrapper(counter), connections[_ledger()].execute_wrapper(counter):
            answer = browser.post(path, urlencode(sent), FORM, HTTP_HOST="127.0.0.1")
        if answer.status_code != 200:
            sys.exit(f"{path}: {answer.status_code} {answer.content!r}")
        token = answer.json()["refresh_token"]
        counts.append(len(counter.statements))
    print(json.dumps(counts))


def _ledger() -> str:
    return "audit" if "audit" in connections.databases else "default"


if __name__ == "__main__":
    main()
