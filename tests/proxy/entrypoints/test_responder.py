"""One answer written to ASGI."""

from proxy.entrypoints.responder import Responder
from proxy.refusals import NotRegistered
from tests.proxy.asgi_client import Exchange

SHARED = (("access-control-allow-origin", "https://chatgpt.com"),)


def responder(*, head_only: bool = False) -> tuple[Responder, Exchange]:
    """A responder and who hears it."""
    exchange = Exchange()
    return Responder(exchange.send, request_id="r-1", shared=SHARED, head_only=head_only), exchange


async def test_every_answer_has_the_request_id_and_is_not_sniffed() -> None:
    for refused in (True, False):
        out, exchange = responder()
        await (out.problem(NotRegistered()) if refused else out.whole(200, (("x-a", "1"),), b"body"))
        assert exchange.header("x-request-id") == "r-1"
        assert exchange.header("x-content-type-options") == "nosniff"
        assert exchange.header("access-control-allow-origin") == "https://chatgpt.com"
        assert exchange.complete


async def test_the_head_goes_out_with_the_first_bytes_only() -> None:
    out, exchange = responder()
    assert not out.started
    await out.start(200, ())
    await out.body(b"one", more=True)
    assert (out.started, exchange.chunks, exchange.complete) == (True, [b"one"], False)
    await out.body(b"two", more=False)
    assert (exchange.body, exchange.complete) == (b"onetwo", True)


async def test_head_gets_the_headers_alone() -> None:
    out, exchange = responder(head_only=True)
    await out.whole(200, (("content-length", "4"),), b"body")
    assert (exchange.header("content-length"), exchange.body) == ("4", b"")
    out, exchange = responder(head_only=True)
    await out.problem(NotRegistered())
    assert (exchange.status, exchange.body) == (404, b"")
    assert int(exchange.header("content-length")) > 0


async def test_repeated_headers_stay_repeated() -> None:
    out, exchange = responder()
    await out.whole(200, (("x-a", "1"), ("x-a", "2")))
    assert exchange.values("x-a") == ["1", "2"]
