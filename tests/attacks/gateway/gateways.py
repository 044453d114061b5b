"""The two gateways the table is run against, really started, and the backend of bytes behind them."""

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.attacks.gateway.field import ALICE, BOB, INSIDE, JOBS, Field, echo
from tests.attacks.gateway.table import H11
from tests.attacks.table import NotMet
from tests.journeys.server import ROOT, environment, free_port, manage, running, running_demo
from tests.journeys.stores import services
from tests.proxy.raw_backend import RawBackend

WIDE = {"RATE_LIMIT_MAX": "10000000"}
SETTLED_WITHIN = 100
# Whose each token is, at a proxy that looks no further
NAIVE_TOKENS = dict.fromkeys(("TR", "TW", "TAUD", "TEXP", "TREV", "MR", "MW"), ALICE) | {"TB": BOB}
NAIVE_USERS = {name.lower() * 8: user for name, user in NAIVE_TOKENS.items()}
# Any session is hers there, and so is what a JWT says without a signature
NAIVE_USERS |= {"session": ALICE, "alice": ALICE, ALICE: ALICE}


@contextlib.contextmanager
def ours(folder: Path, **changes: str) -> Iterator[Field]:
    """The gateway with demo data and the catalogue of `prepare`; `changes` are variables of its environment."""
    port = free_port()
    with services() as stores, backends() as (backend, evil):
        # A proxy that the gateway must not take
        variables = {**WIDE, "HTTP_PROXY": evil.url, "http_proxy": evil.url, **stores, **changes}
        own = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), "DEMO": "1", **variables}
        own |= {"DJANGO_SETTINGS_MODULE": "gateway_project.settings"}
        with running_demo(folder, port=port, **variables) as demo:
            tokens: dict[str, str] = json.loads(
                run_with(own, "tests.attacks.gateway.prepare", str(backend.port), str(evil.port))
            )
            staff = [demo.facts["staff"][name] for name in ("username", "password")]
            field = Field(
                port=port,
                process_id=demo.server.process.pid,
                variables=own,
                backend=backend,
                evil=evil,
                tokens=tokens | {"TFOR": "foreign." * 5},
                keeps=lambda: manage("dumpdata", variables=own) + demo.server.log.read_text(),
                staff=f"Basic {base64.b64encode(':'.join(staff).encode()).decode()}",
            )
            settle(field)
            yield field


@contextlib.contextmanager
def naive(folder: Path, *, server: str = H11) -> Iterator[Field]:
    """The naive proxy on uvicorn, with one of `table.SERVERS`."""
    port = free_port()
    tokens = {name: name.lower() * 8 for name in (*NAIVE_TOKENS, "TFOR")}
    with backends() as (backend, evil):
        inside = [f"http://{host}:{evil.port}/a" for host in INSIDE]
        variables = {
            "NAIVE_USERS": json.dumps(NAIVE_USERS),
            "NAIVE_UPSTREAM": f"{backend.url}/base/",
            "NAIVE_INSIDE": json.dumps(inside),
        }
        command = ("-m", "uvicorn", "tests.attacks.gateway.naive:application", "--http", server, "--port", str(port))
        issuer = f"http://127.0.0.1:{port}"
        log = folder / "naive.log"
        with running(*command, issuer=issuer, log=log, variables=variables, ready="/api/v1/fault0/ready") as started:
            yield Field(
                port=port,
                process_id=started.process.pid,
                variables=variables,
                backend=backend,
                evil=evil,
                tokens=tokens,
                keeps=log.read_text,
            )


@contextlib.contextmanager
def backends() -> Iterator[tuple[RawBackend, RawBackend]]:
    """The backend, which answers with what it was asked, and the listener that must never be; in a thread."""
    ready, ending = threading.Event(), asyncio.Event()
    found: list[RawBackend] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with RawBackend.listening() as backend, RawBackend.listening() as evil:
            backend.says(echo(backend))
            loops.append(asyncio.get_running_loop())
            found.extend((backend, evil))
            ready.set()
            await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield found[0], found[1]
    finally:
        loops[0].call_soon_threadsafe(ending.set)
        thread.join(10)


def settle(field: Field) -> None:
    """Wait until the gateway has read its catalogue."""
    for _attempt in range(SETTLED_WITHIN):
        with contextlib.suppress(NotMet):
            if field.call(f"{JOBS}/v1/jobs").status == 200 and field.call(f"{field.fault()}/a", token="").status == 200:
                return
    raise RuntimeError("the gateway does not carry calls")


def run_with(variables: Mapping[str, str], module: str, *arguments: str) -> str:
    """Run `python -m <module>` beside a gateway, with its settings, and return what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr}")
    return done.stdout
