"""Make a started gateway a large one: `python -m bench.grow`, with the settings of the server that is to grow.

Standard input is a JSON object: how many `operations` below the backend `echo`, how many live `tokens` like `like`, and
the file that takes them, one a line.
"""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import hashlib
import json
import sys
from pathlib import Path

import django

django.setup()

from django.apps import apps
from django.db import connection, transaction

from oauth_provider.revisions.bump import bump
from oauth_provider.tokens.generators import opaque_access_token
from proxy.catalogue.models import Backend, Operation


def main() -> None:
    """Add what is asked for, all of it or nothing."""
    wanted = json.load(sys.stdin)
    with transaction.atomic():
        add_operations(wanted["operations"])
        tokens = [opaque_access_token() for _each in range(wanted["tokens"])]
        add_tokens(tokens, like=wanted["like"])
        bump("catalogue")
    Path(wanted["file"]).write_text("".join(f"{token}\n" for token in tokens))


def add_operations(number: int) -> None:
    """Operations with a path of their own each, in groups as a large document has them."""
    backend = Backend.objects.get(name="echo")
    Operation.objects.bulk_create(
        Operation(
            backend=backend,
            operation_id=f"grown{each}",
            methods=["GET"],
            path=f"/group{each % 50}/{{id}}/kind{each}",
            scopes=["tool:read"],
        )
        for each in range(number)
    )


def add_tokens(tokens: list[str], *, like: str) -> None:
    """Copies of the token `like` under other names."""
    model = apps.get_model("oauth2_provider", "AccessToken")._meta
    own = {"id", "token", "token_checksum"}
    others = ", ".join(f'"{field.column}"' for field in model.concrete_fields if field.column not in own)
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{model.db_table}" (token, token_checksum, {others}) '  # noqa: S608 - column names
            f'SELECT %s, %s, {others} FROM "{model.db_table}" WHERE token_checksum = %s',
            [(checksum, checksum, _checksum(like)) for checksum in map(_checksum, tokens)],
        )


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


if __name__ == "__main__":
    main()
