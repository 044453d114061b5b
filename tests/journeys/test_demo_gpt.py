"""`make demo-gpt`: the way of a custom GPT, against the running demo and against one that it starts itself."""

import pytest

from tests.journeys.server import Demo, free_port, manage

STEPS = [
    "1. The OpenAPI document",
    "2. A call before anybody signed in",
    "3. Authorization and consent",
    "4. The code for tokens",
    "5. A call",
    "6. An hour later",
    "7. Disconnected",
]


def test_every_step_is_walked_against_the_running_demo(demo: Demo) -> None:
    variables = {"DATA_DIR": str(demo.server.log.parent), "PORT": demo.issuer.rpartition(":")[2], "HOST": "127.0.0.1"}
    printed = manage("demo_gpt", "--user", "bruno", variables=variables)
    lines = printed.splitlines()
    assert [line for line in lines if line in STEPS] == STEPS
    assert "not running" not in printed
    assert "bruno signs in and allows: " in printed
    assert "the next call: 401 invalid_token" in printed
    secret = demo.client("gpt")["client_secret"]
    assert secret not in printed
    assert "gh_at_" not in printed


@pytest.mark.services  # two starts of a server: on the build server, not before every commit
def test_a_demo_that_is_not_running_is_started_and_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    port = free_port()
    variables = {"DATA_DIR": str(tmp_path_factory.mktemp("walk")), "PORT": str(port), "HOST": "127.0.0.1"}
    printed = manage("demo_gpt", variables=variables)
    assert "starting it" in printed
    assert STEPS[-1] in printed
    assert "starting it" in manage("demo_gpt", variables=variables)
