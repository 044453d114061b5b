"""The servers that are measured, each on one processor, started for the block and stopped with their process group."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.journeys.server import free_port, serving

# 500 bytes, about what one row of a job search has
ANSWER = '{"jobs":[' + ",".join(f'{{"id":{n},"title":"Nurse","city":"Recife"}}' for n in range(11)) + "]}"

_BACKEND = """
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{ default_type application/json; return 200 '{answer}'; }}
    }}
"""
_PROXY = """
    upstream backend {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
"""
_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 100000000;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    {server}
}}
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway: `group` is its process group, `variables` are what its commands run with."""

    issuer: str
    group: int
    variables: Mapping[str, str]


def processor_s(group: int) -> float:
    """Seconds of processor time, of user and system, that the processes of a group have spent so far."""
    return sum(int(fields[11]) + int(fields[12]) for fields in _stats(group)) / os.sysconf("SC_CLK_TCK")


def memory_mb(group: int) -> float:
    """What the worker of a gateway, the largest child of its group's first process, has in memory, in megabytes."""
    pages = max(int(fields[21]) for fields in _stats(group) if int(fields[1]) == group)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def _stats(group: int) -> Iterator[list[str]]:
    """Of each process of a group what its /proc/<pid>/stat says after its name (proc_pid_stat(5))."""
    for found in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The name in parentheses may hold spaces
            fields = found.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                yield fields


def has_nginx() -> bool:
    """Whether nginx can be measured here."""
    return shutil.which("nginx") is not None


@contextlib.contextmanager
def backend(folder: Path, *, core: int) -> Iterator[str]:
    """The backend behind everything: its base URL. nginx where there is one, else a small ASGI application."""
    port = free_port()
    if has_nginx():
        command = _nginx(folder / "backend", _BACKEND.format(port=port, answer=ANSWER))
    else:
        command = [sys.executable, "-m", "granian", "--interface", "asginl", "--port", str(port), "bench.answer:answer"]
    with running(command, core=core, ready=f"http://127.0.0.1:{port}/", log=folder / "backend.log"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx_proxy(folder: Path, upstream: str, *, core: int) -> Iterator[str]:
    """Nginx `proxy_pass` to `upstream`: its base URL."""
    port = free_port()
    command = _nginx(folder / "proxy", _PROXY.format(port=port, upstream=upstream.rpartition(":")[2]))
    with running(command, core=core, ready=f"http://127.0.0.1:{port}/", log=folder / "proxy.log"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def gateway(folder: Path, upstream: str, *, core: int) -> Iterator[Gateway]:
    """The gateway with demo data and everything on, its backend `echo` at `upstream`."""
    port = free_port()
    variables = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATA_DIR": str(folder / "gateway"),
        "ECHO_SERVICE_URL": upstream,
        "RATE_LIMIT_MAX": "1000000000",
    }
    (folder / "gateway").mkdir()
    issuer = f"http://127.0.0.1:{port}"
    command = [sys.executable, "manage.py", "demo", "--serve"]
    log = folder / "gateway.log"
    with running(command, core=core, ready=f"{issuer}/readyz", log=log, variables=variables) as group:
        yield Gateway(issuer, group, variables)


def service_token(served: Gateway) -> str:
    """An access token of the demo's service client for the backend `echo`."""
    client = json.loads((Path(served.variables["DATA_DIR"]) / "demo.json").read_text())["clients"]["service"]
    answer = httpx.post(
        f"{served.issuer}/oauth/token",
        data={
            "grant_type": "client_credentials",
            "scope": "tool:read",
            "resource": f"{served.issuer}/api/v1/echo",
        },
        auth=(client["client_id"], client["client_secret"]),
    )
    return str(answer.raise_for_status().json()["access_token"])


def _nginx(folder: Path, server: str) -> list[str]:
    folder.mkdir()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, server=server))
    return ["nginx", "-p", str(folder), "-c", str(configuration)]


@contextlib.contextmanager
def running(
    command: list[str],
    *,
    core: int,
    ready: str,
    log: Path,
    variables: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run `command` on processor `core`: its process group, once `ready` answers a request with `headers`."""
    pinned = ["taskset", "-c", str(core), *command]
    with serving(pinned, ready=ready, log=log, variables=variables, headers=headers) as process:
        yield process.pid
