"""G: where calls of the gateway's own may go. Most is decided when a backend is saved, and again when it is called."""

from typing import Any

from tests.attacks.gateway.field import INSIDE, Field, refused
from tests.attacks.gateway.table import row
from tests.attacks.table import NotMet


@row(
    "G1",
    "addresses and numeric hosts of this machine, without leave",
    expected="refused when saved, else 502; nothing called",
    cases={host: number for number, host in enumerate(INSIDE)},
)
def inside(field: Field, number: int) -> None:
    before = len(field.evil.arrived)
    refused(field.call(f"/api/v1/inside{number}/a", token=""), 401, 404, 502)
    if len(field.evil.arrived) != before:
        raise NotMet("the listener was called")


@row(
    "G5",
    "HTTP_PROXY in the environment",
    expected="ignored",
    spares="its environment has none, or every other row would fail",
)
def proxied(field: Field, _case: Any) -> None:
    before = len(field.evil.arrived)
    field.healthy(1)
    if len(field.evil.arrived) != before:
        raise NotMet("the listener was called")
