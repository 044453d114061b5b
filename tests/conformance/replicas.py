"""Two gateways with one database and one Redis behind nginx, which gives each request to the next of them."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx

from tests.attacks.servers import as_target
from tests.attacks.target import Target
from tests.journeys.server import Demo, Server, environment, free_port, running
from tests.journeys.stores import services

# Which of the two answered
ANSWERED_BY: Final = "x-answered-by"
_CONFIGURATION: Final = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    upstream gateways {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://gateways;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_next_upstream off;
            proxy_buffering off;
            proxy_read_timeout 300s;
            add_header {header} $upstream_addr always;
        }}
    }}
}}
"""


@contextmanager
def replicated(folder: Path) -> Iterator[Target]:
    """Both, as one gateway."""
    first, second = free_port(), free_port()
    with services() as stores, nginx(folder, first, second) as origin, ExitStack() as started:
        own = {"HOST": "127.0.0.1", "PORT": str(first), "PUBLIC_BASE_URL": origin, "DATA_DIR": str(folder), "DEMO": "1"}
        own |= {"TRUSTED_PROXY_COUNT": "1", "RATE_LIMIT_MAX": "5000", **stores}
        own |= {"DJANGO_SETTINGS_MODULE": "gateway_project.settings"}
        demo = ("manage.py", "demo", "--serve")
        server = started.enter_context(_gateway(demo, own))
        started.enter_context(_gateway(("-m", "gateway_project.server"), own | {"PORT": str(second)}))
        facts = json.loads((folder / "demo.json").read_text())
        yield as_target(Demo(server=replace(server, issuer=origin), facts=facts), own, started)


def _gateway(command: tuple[str, ...], variables: Mapping[str, str]) -> AbstractContextManager[Server]:
    port, folder = variables["PORT"], Path(variables["DATA_DIR"])
    return running(*command, issuer=f"http://127.0.0.1:{port}", log=folder / f"{port}.log", variables=variables)


@contextmanager
def nginx(folder: Path, first: int, second: int) -> Iterator[str]:
    """The origin at which both ports are served in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    port, file = free_port(), folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(folder=folder, first=first, second=second, port=port, header=ANSWERED_BY))
    process = subprocess.Popen(["nginx", "-c", str(file), "-p", str(folder)], env=environment())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def answering(target: Target, *, calls: int = 8) -> set[str]:
    """Which of the two answer so many calls."""
    return {httpx.get(f"{target.origin}/readyz", timeout=20).headers[ANSWERED_BY] for _ in range(calls)}
