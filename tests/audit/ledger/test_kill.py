"""A process that is killed takes no acknowledged event with it."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

from audit.ledger.models import Event

ROOT = Path(__file__).resolve().parents[3]
# Says the id of each event once it is acknowledged, for as long as it lives
PROGRAM = """
import asyncio
import django
django.setup()
from audit.ledger.events import Draft, UserRef
from audit.ledger.kinds import Kind
from audit.ledger.recorder import Recorder

recorder = Recorder()
recorder.start()

async def call(number):
    while True:
        draft = Draft(kind=Kind.PROXY_CALL_DECIDED, user=UserRef(number, f"user_{number}"))
        await recorder.record(draft, 20)
        print(draft.id.hex, flush=True)

async def main():
    await asyncio.gather(*(call(number) for number in range(16)))

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(3))
def test_every_event_acknowledged_before_a_kill_is_there_after_it(ledger: str, seed: int) -> None:
    environment = os.environ | {"DATABASE_URL": url_of(ledger), "DJANGO_SETTINGS_MODULE": "gateway_project.settings"}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process, process.stdout as output:
        said = [output.readline() for _ in range(random.Random(seed).randrange(50, 400))]  # noqa: S311 - a dice
        process.kill()
        said += output.readlines()
    acknowledged = {line.decode().strip() for line in said if len(line) == 33}
    assert acknowledged
    there = {key.hex for key in Event.objects.using(ledger).values_list("pk", flat=True)}
    assert acknowledged <= there


def url_of(alias: str) -> str:
    """The database of `alias` as the environment names it."""
    settings = connections[alias].settings_dict
    if connections[alias].vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)
