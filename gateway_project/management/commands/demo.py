"""Everything a newcomer needs to try the product: data, credentials, and with --serve the servers."""

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway_project.bootstrap import bootstrap
from gateway_project.demo.child import HOST, BackendsDidNotStart, demo_backends
from gateway_project.demo.facts import Facts, facts_path, read_facts, write_facts
from gateway_project.demo.seed import seed
from gateway_project.listening import PortTaken, require_free
from gateway_project.server import serve


class Command(BaseCommand):
    """What was made by an earlier run stays: clients, tokens, passwords."""

    help = "Migrate, create the demo's data and credentials, and write them to demo.json in DATA_DIR."

    def add_arguments(self, parser: CommandParser) -> None:
        """The two options."""
        parser.add_argument("--serve", action="store_true", help="then serve the gateway, and its backends on PORT+1")
        parser.add_argument("--json", action="store_true", help="print demo.json instead of words")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare, print, and serve when asked to."""
        environment = settings.ENVIRONMENT
        backends_port = environment.PORT + 1
        if not options["serve"]:
            self._print(_prepare(backends_port), as_json=options["json"])
            return
        try:
            require_free(environment.HOST, environment.PORT)
            require_free(HOST, backends_port)
            with demo_backends(backends_port) as wait_for_backends:
                facts = _in_process_apart(partial(_prepare, backends_port))
                wait_for_backends()
                self._print(facts, as_json=options["json"])
                serve(workers=1)
        except (PortTaken, BackendsDidNotStart) as fault:
            raise CommandError(str(fault)) from fault

    def _print(self, facts: Facts, *, as_json: bool) -> None:
        lines = [json.dumps(facts)] if as_json else _lines(facts)
        self.stdout.write("\n".join(lines))
        # Before the workers are forked, each with a copy of what is still unwritten
        self.stdout.flush()


def _prepare(backends_port: int) -> Facts:
    call_command("migrate", interactive=False, verbosity=0)
    facts = seed(known=read_facts(), backends_origin=f"http://{HOST}:{backends_port}")
    write_facts(facts)
    bootstrap()
    return facts


def _in_process_apart(prepare: Callable[[], Facts]) -> Facts:
    # What it takes in memory would stay with this process, and with the worker that is forked from it
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as apart:
        return apart.submit(prepare).result()


def _lines(facts: Facts) -> list[str]:
    staff, gpt = facts["staff"], facts["clients"]["gpt"]
    people = [f"{user['username']} / {user['password']}   {user['external_id']}" for user in facts["users"]]
    backends = facts["backends"].items()
    rows = [
        ("Gateway", facts["issuer"]),
        ("Admin", f"{staff['url']}   {staff['username']} / {staff['password']}"),
        ("Connected Apps", f"{facts['issuer']}/connected-apps/"),
        *(("  person", person) for person in people),
        ("GPT client", f"{gpt['client_id']} / {gpt['client_secret']}"),
        ("  authorize", gpt["authorization_url"]),
        ("  token", gpt["token_url"]),
        ("API key", facts["api_key"]),
        *((f"Backend {name}", f"{backend['prefix']} -> {backend['upstream']}") for name, backend in backends),
        ("All of it", facts_path()),
    ]
    return [f"{label:<16}{value}" for label, value in rows]
