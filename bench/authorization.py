"""Code exchanges and refreshes beside a stock django-oauth-toolkit project, on the same kind of database, in one run.

SQLite, or PostgreSQL where TEST_DATABASE_URL and REDIS_URL name one. The server under test has one processor.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.servers import processor_s
from tests.attacks.servers import gatehouse, stock
from tests.attacks.target import VERIFIER, Target
from tests.journeys.server import ROOT, environment
from tests.journeys.stores import empty_database

# What the design asks for with a confidential client
TARGET = 3.0
# SQLite has one writer: more would measure who waits longest
CALLERS = 2
# Enough for a second or more of each: a stock project hashes a secret for a fifth of one
TIMES = {"ours": 160, "stock": 16}
CLIENTS = {"confidential": "C", "public": "A"}
UNLIMITED = ",".join(f"{name}=9999999/s" for name in ("authorize", "token", "signin"))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of request: how many a second, processor time and statements of one."""

    rate: float
    cpu_ms: float
    queries: int


Costs = dict[str, Cost]


def compare(folder: Path, *, core: int, other_core: int) -> None:
    """Measure and print, the ratios first."""
    with _server("ours", folder, core, other_core) as target:
        ours = _costs(target, TIMES["ours"])
    with _server("stock", folder, core, other_core) as target:
        theirs = _costs(target, TIMES["stock"])
    print()
    for kind in ours:
        target_words = f"   (target {TARGET})" if "confidential" in kind else ""
        print(f"ours / stock, {kind:<22} {ours[kind].rate / theirs[kind].rate:6.1f}{target_words}")
    print(f"\n{'':<24}{'ours':>32}{'stock':>36}")
    for kind in ours:
        print(f"{kind:<24}{_words(ours[kind]):>36}{_words(theirs[kind]):>36}")


def _words(cost: Cost) -> str:
    return f"{cost.rate:.0f}/s  {cost.cpu_ms:.1f} ms CPU  {cost.queries} queries"


@contextlib.contextmanager
def _server(name: str, folder: Path, core: int, other_core: int) -> Iterator[Target]:
    usual = os.sched_getaffinity(0)
    with contextlib.ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, usual)
        # The server inherits it
        os.sched_setaffinity(0, {core})
        if name == "ours":
            started = stack.enter_context(gatehouse(folder / name, OAUTH_RATES=UNLIMITED))
        else:
            url = stack.enter_context(empty_database()) if "TEST_DATABASE_URL" in os.environ else ""
            started = stack.enter_context(stock(folder / name, database_url=url))
        os.sched_setaffinity(0, {other_core})
        yield started


def _costs(target: Target, times: int) -> Costs:
    costs: Costs = {}
    for kind, client in CLIENTS.items():
        counts = _queries(target, client)
        _spent(target, client, [target.code(client) for _ in range(CALLERS)], grant="authorization_code")
        codes = [target.code(client) for _ in range(times)]
        took, cpu, tokens = _spent(target, client, codes, grant="authorization_code")
        costs[f"code, {kind}"] = Cost(times / took, cpu / times * 1000, counts[0])
        took, cpu, _tokens = _spent(target, client, tokens, grant="refresh_token")
        costs[f"refresh, {kind}"] = Cost(times / took, cpu / times * 1000, counts[1])
    return costs


def _spent(target: Target, client: str, credentials: list[str], *, grant: str) -> tuple[float, float, list[str]]:
    """Wall and processor seconds of spending every credential once, and the refresh tokens they bought."""
    limits = httpx.Limits(max_connections=CALLERS)
    with httpx.Client(base_url=target.origin, limits=limits, timeout=60, trust_env=False) as http:

        def spend(credential: str) -> str:
            answer = http.post(target.paths.token, data=_form(target, client, grant, credential))
            return str(answer.raise_for_status().json()["refresh_token"])

        return _timed(target.process_id, lambda pool: list(pool.map(spend, credentials)))


def _timed(group: int, act: Callable[[ThreadPoolExecutor], list[str]]) -> tuple[float, float, list[str]]:
    with ThreadPoolExecutor(CALLERS) as pool:
        cpu, started = processor_s(group), time.monotonic()
        found = act(pool)
        return time.monotonic() - started, processor_s(group) - cpu, found


def _form(target: Target, client: str, grant: str, credential: str) -> dict[str, str]:
    known = target.clients[client]
    form = {"grant_type": grant, "client_id": known.client_id}
    if known.secret:
        form["client_secret"] = known.secret
    if grant == "refresh_token":
        return form | {"refresh_token": credential}
    return form | {"code": credential, "code_verifier": VERIFIER, "redirect_uri": known.redirect_uri}


def _queries(target: Target, client: str) -> list[int]:
    requests = [
        (target.paths.token, _form(target, client, "authorization_code", target.code(client))),
        (target.paths.token, _form(target, client, "refresh_token", "$refresh_token")),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bench.queries"],
        cwd=ROOT,
        env=environment(**target.variables),
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    counts: list[Any] = json.loads(done.stdout)
    return [int(count) for count in counts]
