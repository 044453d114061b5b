"""Stop the server, start it on the same data: what was given still holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo, free_port, running_demo
from tests.journeys.stores import services

# Of an idle machine; a busy one may take as long as it took for the first start, which also makes people and clients
SECOND_START_WITHIN_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Restarted:
    """The gateway in its second life, and what was given in its first."""

    demo: Demo
    before: Demo
    gpt: steps.Tokens
    open_code: str
    asked: steps.Asked


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarted]:
    """A gateway that was stopped and started; its second life sends careers' calls to the echo backend."""
    with services() as variables:
        yield from restart(tmp_path_factory.mktemp("restart"), free_port(), variables)


def restart(data_dir: Path, port: int, variables: dict[str, str]) -> Iterator[Restarted]:
    """Start, give, stop, and start again."""
    with running_demo(data_dir, port=port, **variables) as before, Browser(before.issuer) as ana:
        steps.sign_in(ana, before.user("ana"))
        gpt = steps.connect_gpt(before, ana, redirect_uri=steps.CHAT_OPENAI)
        asked = steps.ask_as_gpt(before)
        code = steps.decide(ana, ana.open(asked.url))["code"]
    # The demo's own override: any backend takes its address from the environment
    echo = f"http://127.0.0.1:{port + 1}/echo"
    with running_demo(data_dir, port=port, CAREERS_SERVICE_URL=echo, **variables) as demo:
        yield Restarted(demo=demo, before=before, gpt=gpt, open_code=code, asked=asked)


def test_second_start_is_quick(restarted: Restarted) -> None:
    first_s, second_s = restarted.before.server.ready_after_s, restarted.demo.server.ready_after_s
    print(f"first start {first_s:.2f} s, second start {second_s:.2f} s")
    assert second_s < max(SECOND_START_WITHIN_S, first_s)


def test_clients_and_users_are_the_same(restarted: Restarted) -> None:
    assert restarted.demo.facts == restarted.before.facts


def test_an_open_code_is_still_exchanged(restarted: Restarted) -> None:
    answer = steps.exchange(restarted.demo, restarted.asked, restarted.open_code)
    assert steps.tokens_of(answer).access


def test_access_token_still_works_and_careers_gets_the_identity(restarted: Restarted) -> None:
    demo = restarted.demo
    url = f"{demo.issuer}/api/v1/gpt/jobs/search?keywords=a%20b&keywords=c"
    answer = httpx.get(url, headers=restarted.gpt.header | {"X-Clerk-User-Id": "user_2def"}, timeout=20)
    received = answer.json()
    assert answer.status_code == 200
    assert received["headers"]["x-user-id"] == received["headers"]["x-clerk-user-id"] == "user_2abc"
    assert received["query"] == "keywords=a%20b&keywords=c"
    token = steps.verified_identity(demo, received["headers"]["x-gateway-identity"])
    assert (token.claims["aud"], token.claims["sub"]) == ("careers", "user_2abc")


def test_refresh_token_still_works(restarted: Restarted) -> None:
    answer = steps.refresh(restarted.demo, restarted.demo.client("gpt"), restarted.gpt.refresh)
    assert steps.tokens_of(answer).access


def test_server_stops_cleanly(restarted: Restarted) -> None:
    assert restarted.before.server.process.returncode in {0, -15}
