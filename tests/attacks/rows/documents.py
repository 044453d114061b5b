"""G: client ids that are addresses of documents (draft-ietf-oauth-client-id-metadata-document, sections 3 and 6)."""

from collections.abc import Iterable

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import Target


def _refused(target: Target, addresses: Iterable[str]) -> None:
    for address in addresses:
        page = target.ask(client_id=address)
        expect.that(page.status == 400, f"{page.status} to {address}")


@row("G01", "client ids without https or a path, with a user name, a fragment, dot segments", expected="400")
def shapes(target: Target) -> None:
    _refused(
        target,
        (
            "http://app.example/client.json",
            "https://app.example",
            "https://app.example/",
            "https://user@app.example/client.json",
            "https://app.example/client.json#x",
            "https://app.example/../client.json",
            "https://app.example/%2e%2e/client.json",
        ),
    )


@row("G03", "client ids that lead inside", expected="400")
def inside(target: Target) -> None:
    _refused(target, (f"https://{host}/x" for host in ("127.0.0.1", "10.0.0.1", "100.64.0.1", "0.0.0.0", "[::1]")))  # noqa: S104 - nothing is bound


@row("G04", "client ids with numbers for a host", expected="400")
def numbers(target: Target) -> None:
    _refused(target, (f"https://{host}/x" for host in ("2130706433", "0x7f.1", "0177.0.0.1", "127.1")))
