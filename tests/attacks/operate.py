"""What an operator does behind a server under attack: `python -m tests.attacks.operate`, a line of JSON for each act.

It stays, since Django takes seconds to start, and answers each line with one when the act is done. It runs with the
settings of that server, ours or the stock project's, and uses nothing that only one of them has.
"""

import json
import sys
from datetime import timedelta

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.models import DateTimeField, F

TOKEN_APPS = ("oauth_provider", "oauth2_provider")


def main() -> None:
    """Do what standard input asks for, until it ends."""
    django.setup()
    for line in sys.stdin:
        operate(*json.loads(line))
        connections.close_all()
        print("done", flush=True)


def operate(act: str, argument: str) -> None:
    """Do one act."""
    if act == "pass":
        time_passes(timedelta(seconds=int(argument)))
    elif act == "clean":
        command = "cleanup_tokens" if apps.is_installed("oauth_provider") else "cleartokens"
        call_command(command, stdout=sys.stderr)
    else:
        people = apps.get_model("auth", "User").objects.filter(username=argument)
        people.update(is_active={"deactivate": False, "activate": True}[act])


def time_passes(duration: timedelta) -> None:
    """Make everything the authorization server stored that much older."""
    for label in TOKEN_APPS:
        if not apps.is_installed(label):
            continue
        for model in apps.get_app_config(label).get_models():
            moments = [field.name for field in model._meta.fields if isinstance(field, DateTimeField)]
            if moments and model._meta.managed:
                model._default_manager.update(**{name: F(name) - duration for name in moments})


if __name__ == "__main__":
    main()
