"""The two backends of the demo, asked directly."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway_project.demo.backends.application import DemoBackends

CAREERS = "/careers/api/v2"
ANA, BRUNO = {"X-Clerk-User-Id": "user_2abc"}, {"X-Clerk-User-Id": "user_2def"}


@pytest.fixture
async def demo() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the demo backends, without a network."""
    transport = httpx.ASGITransport(DemoBackends())
    async with httpx.AsyncClient(transport=transport, base_url="http://demo.example") as client:
        yield client


async def test_echo_answers_what_it_received(demo: httpx.AsyncClient) -> None:
    headers = [("X-Twice", "1"), ("X-Twice", "2")]
    answer = await demo.request("PATCH", "/echo/a%20b/c?q=%2F&q=&r", content="ação", headers=headers)
    received: dict[str, Any] = answer.json()
    assert list(received) == ["method", "path", "query", "headers", "body"]
    assert (received["method"], received["path"], received["query"]) == ("PATCH", "/echo/a%20b/c", "q=%2F&q=&r")
    assert (received["headers"]["x-twice"], received["body"]) == ("1, 2", "ação")


async def test_jobs_are_found_by_whole_words_and_place(demo: httpx.AsyncClient) -> None:
    answer = await demo.get(f"{CAREERS}/jobs/search", params={"keywords": "go", "place": "curitiba"}, headers=ANA)
    assert [job["company"] for job in answer.json()["jobs"]] == ["Rota Certa"]


async def test_the_best_match_comes_first(demo: httpx.AsyncClient) -> None:
    answer = await demo.get(f"{CAREERS}/jobs/search", params={"keywords": "python oauth linux"}, headers=ANA)
    assert answer.json()["jobs"][0]["title"] == "Security engineer"


async def test_without_words_there_is_every_job(demo: httpx.AsyncClient) -> None:
    answer = (await demo.get(f"{CAREERS}/jobs/search", headers=ANA)).json()
    assert answer["total"] == answer["open_positions"] == len(answer["jobs"])


async def test_a_job_is_read_by_its_id(demo: httpx.AsyncClient) -> None:
    assert (await demo.get(f"{CAREERS}/jobs/j-1002", headers=ANA)).json()["company"] == "Rota Certa"
    assert (await demo.get(f"{CAREERS}/jobs/j-1", headers=ANA)).status_code == 404


async def test_applications_are_of_the_user_the_gateway_names(demo: httpx.AsyncClient) -> None:
    sent = await demo.post(f"{CAREERS}/applications", json={"job_id": "j-1001", "message": "Hello"}, headers=ANA)
    assert (sent.status_code, sent.json()["status"]) == (201, "received")
    mine = (await demo.get(f"{CAREERS}/applications", headers=ANA)).json()["applications"]
    assert [application["job_id"] for application in mine] == ["j-1001"]
    assert (await demo.get(f"{CAREERS}/applications", headers=BRUNO)).json() == {"applications": []}


async def test_one_applies_once(demo: httpx.AsyncClient) -> None:
    statuses = [
        (await demo.post(f"{CAREERS}/applications", json={"job_id": job}, headers=ANA)).status_code
        for job in ("j-1001", "j-1001", "j-0")
    ]
    assert statuses == [201, 409, 404]


async def test_a_resume_is_compared_with_the_jobs(demo: httpx.AsyncClient) -> None:
    answer = await demo.post(f"{CAREERS}/resume/analyze", json={"resume": "Ten years of Go and Kafka."}, headers=ANA)
    found = answer.json()
    assert found["skills"] == ["go", "kafka"]
    assert found["fits"][0]["job_id"] == "j-1002"


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"resume": "  "}'])
async def test_without_a_resume_it_says_what_to_send(demo: httpx.AsyncClient, body: bytes) -> None:
    answer = await demo.post(f"{CAREERS}/resume/analyze", content=body, headers=ANA)
    assert answer.status_code == 422


async def test_careers_answers_nobody_whom_the_gateway_did_not_name(demo: httpx.AsyncClient) -> None:
    assert (await demo.get(f"{CAREERS}/applications")).status_code == 401


@pytest.mark.parametrize("path", ["/", "/careers", f"{CAREERS}/nothing", "/echoes"])
async def test_everything_else_is_not_there(demo: httpx.AsyncClient, path: str) -> None:
    assert (await demo.get(path, headers=ANA)).status_code == 404
