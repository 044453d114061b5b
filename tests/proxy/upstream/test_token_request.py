"""A token endpoint on a socket: what it is asked (RFC 6749 section 4.4), and what counts as a token."""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from proxy.catalogue.credentials import ClientCredentials
from proxy.upstream.token_request import FetchedToken, TokenNotFetched, request_token
from tests.proxy.authority import Authority, server_context
from tests.proxy.raw_backend import RawBackend, answer
from tests.tcp_server import HOST

CREDENTIAL = ClientCredentials(
    token_url="http://127.0.0.1/t", client_id="gate way", client_secret="s3cret+/:é", allow_private=True
)
GOOD: dict[str, Any] = {"access_token": "tok.en-1", "token_type": "Bearer", "expires_in": 60}


def said(status: str = "200 OK", **changes: Any) -> bytes:
    """An answer of the endpoint."""
    return answer(json.dumps(GOOD | changes).encode(), "Content-Type: application/json", status=status)


async def ask(endpoint: RawBackend, **changes: Any) -> FetchedToken:
    """Ask the endpoint for a token."""
    credential = replace(CREDENTIAL, **({"token_url": f"{endpoint.url}/t"} | changes))
    return await asyncio.to_thread(request_token, credential)


async def failure(endpoint: RawBackend, **changes: Any) -> TokenNotFetched:
    """Why it gave none."""
    with pytest.raises(TokenNotFetched) as fault:
        await ask(endpoint, **changes)
    return fault.value


async def test_the_secret_is_shown_in_the_header_as_the_standard_encodes_it(backend: RawBackend) -> None:
    backend.says(said())
    assert await ask(backend, scope="a b", audience="jobs", resource="https://jobs.example") == FetchedToken(
        "tok.en-1", 60.0
    )
    arrived = backend.request
    assert arrived.line == "POST /t HTTP/1.1"
    assert base64.b64decode(arrived.header("authorization").removeprefix("Basic ")) == b"gate+way:s3cret%2B%2F%3A%C3%A9"
    assert parse_qsl(arrived.content.decode()) == [
        ("grant_type", "client_credentials"),
        ("scope", "a b"),
        ("audience", "jobs"),
        ("resource", "https://jobs.example"),
    ]


async def test_the_secret_is_shown_in_the_body_where_the_server_wants_it_there(backend: RawBackend) -> None:
    backend.says(said())
    await ask(backend, token_endpoint_auth_method="client_secret_post")
    assert backend.request.values("authorization") == []
    assert parse_qsl(backend.request.content.decode())[1:] == [
        ("client_id", CREDENTIAL.client_id),
        ("client_secret", CREDENTIAL.client_secret),
    ]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(60, 60), ("3600", 3600), (0.5, 0.5), (None, 300), (0, 300), (-1, 300), (True, 300), ("soon", 300), ([], 300),
     (10**400, 300), (1e300, 86_400), ("nan", 300)],
)  # fmt: skip
async def test_the_life_of_a_token_is_whatever_can_be_believed(
    backend: RawBackend, given: object, seconds: float
) -> None:
    backend.says(said(expires_in=given))
    assert (await ask(backend)).lifetime_s == seconds


@pytest.mark.parametrize(
    "body",
    [
        said(access_token=None), said(access_token=""), said(access_token="a b"),
        said(access_token="a\r\nX-User-Id: evil"), said(access_token="é"), said(access_token="x" * 8193),
        said(token_type="mac"), said(token_type=None), answer(b"[]"), answer(b"\xff"), answer(b"<html>"),
        answer(b"[" * 60_000), answer(b"x" * 70_000), answer(b"", "Content-Encoding: gzip"),
    ],
)  # fmt: skip
async def test_what_is_no_token_is_not_taken_for_one(backend: RawBackend, body: bytes) -> None:
    backend.says(body)
    fault = await failure(backend)
    assert fault.reason in {"backend_token_unreadable", "backend_token_unavailable"}


@pytest.mark.parametrize(
    ("status", "reason", "is_lasting"),
    [
        ("400 Bad Request", "backend_token_refused", True),
        ("401 Unauthorized", "backend_token_refused", True),
        ("302 Found", "backend_token_refused", True),
        ("429 Too Many Requests", "backend_token_unavailable", False),
        ("503 Service Unavailable", "backend_token_unavailable", False),
    ],
)
async def test_a_refusal_is_told_from_a_bad_moment(
    backend: RawBackend, status: str, reason: str, *, is_lasting: bool
) -> None:
    backend.says(said(status, error="invalid_client"))
    fault = await failure(backend)
    assert (fault.reason, fault.is_lasting, fault.error) == (reason, is_lasting, "invalid_client")


@pytest.mark.parametrize("error", [7, None, "s3cret in words", "<b>", "x" * 100])
async def test_only_a_plain_code_of_the_endpoints_is_repeated(backend: RawBackend, error: object) -> None:
    backend.says(said("400 Bad Request", error=error))
    assert (await failure(backend)).error == ""


async def test_a_redirect_is_not_followed(backend: RawBackend) -> None:
    backend.says(answer(b"", f"Location: {backend.url}/elsewhere", status="307 Temporary Redirect"))
    assert (await failure(backend)).reason == "backend_token_refused"
    assert len(backend.arrived) == 1


async def test_an_internal_endpoint_is_asked_only_when_staff_say_so(backend: RawBackend) -> None:
    assert (await failure(backend, allow_private=False)).reason == "backend_token_address_refused"
    assert backend.connections == 0


async def test_an_endpoint_that_is_not_there_may_come_back(backend: RawBackend) -> None:
    fault = await failure(backend, token_url="http://127.0.0.1:9/t")
    assert (fault.reason, fault.is_lasting) == ("backend_token_unavailable", False)


async def test_an_endpoint_that_cannot_prove_its_name_is_not_asked() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = server_context(Authority().give("localhost"))
    async with await asyncio.start_server(serve, HOST, 0, ssl=context) as server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}/t"
        with pytest.raises(TokenNotFetched) as fault:
            await asyncio.to_thread(request_token, replace(CREDENTIAL, token_url=url))
    assert (fault.value.reason, fault.value.error) == ("backend_token_unavailable", "tls_failed")
