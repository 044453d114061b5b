"""The two servers the table is run against, really started, with clients and people of the same shape."""

import contextlib
import functools
import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.attacks.signer import key_set
from tests.attacks.target import READ, WRITE, Paths, RegisteredClient, Target
from tests.journeys.server import ROOT, Demo, environment, free_port, running_demo
from tests.journeys.stores import services
from tests.stock.project import prepare, running_stock

BOTH = f"{READ} {WRITE}"
CODE, SERVICE = "authorization-code", "client-credentials"
# Name, type, grant, redirects, permissions. L is a desktop app, B pretends to be somebody, P returns to any
# port of this computer, S acts for itself and serves the API, T has no browser, K signs.
CLIENTS: dict[str, tuple[str, str, str, str, str]] = {
    "A": ("Notebook", "public", CODE, "https://c.example/cb http://127.0.0.1/cb", BOTH),
    "B": ("ChatGPT", "public", CODE, "https://evil.example/cb", READ),
    "C": ("Office", "confidential", CODE, "https://d.example/cb", BOTH),
    "L": (
        "Editor",
        "public",
        CODE,
        "http://localhost/callback cursor://anysphere.cursor-mcp/oauth/callback",
        BOTH,
    ),
    "P": ("Judge", "public", CODE, "http://127.0.0.1/callback", BOTH),
    "S": ("Report", "confidential", SERVICE, "", BOTH),
    "T": ("Television", "public", CODE, "http://127.0.0.1/callback", BOTH),
    "K": ("Signer", "confidential", CODE, "https://k.example/cb", BOTH),
}
# Those that may connect devices
DEVICES = {"T"}


@contextlib.contextmanager
def gatehouse(folder: Path, **changes: str) -> Iterator[Target]:
    """The gateway with demo data behind one trusted proxy, which lets every row come from an address of its own.

    `changes` are variables of its environment.
    """
    port = free_port()
    with services() as stores:
        variables = {"TRUSTED_PROXY_COUNT": "1", "RATE_LIMIT_MAX": "5000", **stores, **changes}
        own = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), "DEMO": "1", **variables}
        own |= {"DJANGO_SETTINGS_MODULE": "gateway_project.settings"}
        with running_demo(folder, port=port, **variables) as demo, contextlib.ExitStack() as browsers:
            yield as_target(demo, own, browsers)


def as_target(demo: Demo, own: Mapping[str, str], browsers: contextlib.ExitStack) -> Target:
    """A gateway that was started with the variables `own`, its clients registered."""
    return Target(
        origin=demo.issuer,
        process_id=demo.server.process.pid,
        variables=own,
        paths=Paths(
            issuer="",
            authorize="/oauth/authorize",
            token="/oauth/token",
            revoke="/oauth/revoke",
            introspect="/oauth/introspect",
            register="/oauth/register",
            sign_in="/accounts/login/",
            decision="decision",
            connections="/connected-apps/",
            ending="/revoke/",
        ),
        clients=_registered(_register(own)),
        passwords={user["username"]: user["password"] for user in demo.facts["users"]},
        operate=_operator(own, browsers),
        session_cookie="session",
        browsers=browsers,
    )


@contextlib.contextmanager
def stock(folder: Path, *, database_url: str = "", hasher: str = "") -> Iterator[Target]:
    """A stock django-oauth-toolkit project; without a URL on an SQLite file, without a hasher with Django's own."""
    passwords = {name: secrets.token_urlsafe(12) for name in ("ana", "bruno")}
    keys = {name: secrets.token_hex(32) for name in CLIENTS}
    variables = prepare(folder, wanted=_wanted(passwords, keys), database_url=database_url, hasher=hasher)
    with running_stock(folder, variables) as server, contextlib.ExitStack() as browsers:
        yield Target(
            origin=server.issuer,
            process_id=server.process.pid,
            variables=variables,
            paths=Paths(
                issuer="/o",
                authorize="/o/authorize/",
                token="/o/token/",
                revoke="/o/revoke_token/",
                introspect="/o/introspect/",
                register="/o/register/",
                sign_in="/accounts/login/",
                decision="allow",
                connections="/o/authorized_tokens/",
                ending="/delete/",
            ),
            clients=_registered({CLIENTS[name][0]: key for name, key in keys.items()}),
            passwords=passwords,
            operate=_operator(variables, browsers),
            session_cookie="sessionid",
            browsers=browsers,
        )


def _wanted(passwords: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, Any]:
    clients = [
        {
            "name": name,
            "client_id": _client_id(name),
            "client_secret": keys[letter] if kind == "confidential" else "",
            "client_type": kind,
            "authorization_grant_type": grant,
            "redirect_uris": redirects,
        }
        for letter, (name, kind, grant, redirects, _scopes) in CLIENTS.items()
    ]
    people = [{"username": name, "password": password} for name, password in passwords.items()]
    return {"clients": clients, "people": people}


def _register(variables: Mapping[str, str]) -> dict[str, str]:
    described = [
        {
            "name": name,
            "client_id": _client_id(name),
            "client_type": kind,
            "authorization_grant_type": grant,
            "redirect_uris": redirects,
            "allowed_scopes": scopes,
            "default_resource": "/api/v1/echo",
            "preset": "service" if grant == SERVICE else "other",
            "device_grant_allowed": letter in DEVICES,
            "serves": ["/api/v1/echo"] if grant == SERVICE else [],
            "token_endpoint_auth_method": "private_key_jwt" if letter == "K" else "",
            "jwks": key_set() if letter == "K" else "",
        }
        for letter, (name, kind, grant, redirects, scopes) in CLIENTS.items()
    ]
    found: dict[str, str] = json.loads(_run(variables, "tests.attacks.register", given=json.dumps(described)))
    return found


def _registered(keys: Mapping[str, str]) -> dict[str, RegisteredClient]:
    return {
        letter: RegisteredClient(
            client_id=_client_id(name),
            secret=keys[name] if kind == "confidential" else "",
            redirect_uri=redirects.partition(" ")[0],
        )
        for letter, (name, kind, _grant, redirects, _scopes) in CLIENTS.items()
    }


def _client_id(name: str) -> str:
    return f"{name.lower()}client0123456789"


def _operator(variables: Mapping[str, str], ends: contextlib.ExitStack) -> Callable[[str, str], None]:
    @functools.cache
    def started() -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-m", "tests.attacks.operate"], subprocess.PIPE
        process = subprocess.Popen(command, cwd=ROOT, env=environment(**variables), stdin=pipe, stdout=pipe, text=True)
        return ends.enter_context(process)

    def operate(act: str, argument: str) -> None:
        process = started()
        assert process.stdin
        assert process.stdout
        print(json.dumps([act, argument]), file=process.stdin, flush=True)
        if process.stdout.readline() != "done\n":
            raise RuntimeError(f"the operator could not {act} {argument}")

    return operate


def _run(variables: Mapping[str, str], module: str, *, given: str) -> str:
    command = [sys.executable, "-m", module]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(**variables),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr}")
    return done.stdout
