"""Walk the way of a custom GPT through the running demo, in the terminal."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway_project.demo.facts import Facts, read_facts
from gateway_project.demo.gpt_walk import GptWalk, WalkEnded

READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 40.0


class Command(BaseCommand):
    """Starts the demo when it is not running, and stops it again."""

    help = "From the OpenAPI document to the revoked token: what ChatGPT does, step by step."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who signs in."""
        parser.add_argument("--user", default="ana", choices=["ana", "bruno"], help="who signs in")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Go the way and tell of it."""
        try:
            with self._demo() as facts:
                for number, step in enumerate(GptWalk(facts, options["user"]).steps(), start=1):
                    self.stdout.write(f"\n{number}. {step.title}\n   {step.in_chatgpt}")
                    for line in step.lines:
                        self.stdout.write(f"     {line}")
        except WalkEnded as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write("\nThat is all ChatGPT does. Every step above is in the audit log.")

    @contextlib.contextmanager
    def _demo(self) -> Iterator[Facts]:
        if _is_ready():
            yield _facts()
            return
        self.stdout.write("The demo is not running: starting it …")
        # Its addresses and passwords are printed by whoever serves it for longer
        command = [sys.executable, "manage.py", "demo", "--serve"]
        child = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, process_group=0)  # noqa: S603 - our own command
        try:
            _wait_until_ready(child)
            yield _facts()
        finally:
            child.terminate()
            try:
                child.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _is_ready() -> bool:
    try:
        return httpx.get(f"{settings.PUBLIC_BASE_URL}/readyz", timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _wait_until_ready(child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise CommandError(f"The demo ended with {child.returncode}.")
        if _is_ready():
            return
        time.sleep(0.1)
    raise CommandError(f"The demo was not ready within {READY_WITHIN_S:.0f} s.")


def _facts() -> Facts:
    facts = read_facts()
    if facts.get("issuer") != settings.PUBLIC_BASE_URL:
        raise CommandError(
            f"{settings.DATA_DIR} has no demo.json of {settings.PUBLIC_BASE_URL}: is DATA_DIR the demo's?"
        )
    return facts
