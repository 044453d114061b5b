"""What a client discovers about a protected resource (RFC 9728)."""

import pytest
from django.conf import settings

from tests.proxy.plane import Road
from tests.proxy.world import JOBS, KEYED, OPEN, THEIRS

WELL_KNOWN = "/.well-known/oauth-protected-resource"
ISSUER = settings.PUBLIC_BASE_URL


async def test_a_backends_document_describes_exactly_its_resource(road: Road) -> None:
    heard = await road.call("GET", f"{WELL_KNOWN}{JOBS}")
    assert (heard.status, heard.header("content-type")) == (200, "application/json")
    assert heard.json() == {
        "resource": f"{ISSUER}{JOBS}",
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "resource_name": "jobs",
        "scopes_supported": ["jobs:read", "jobs:write"],
    }


async def test_every_challenge_names_a_document_that_resolves(road: Road) -> None:
    for target in (f"{JOBS}/jobs/7", "/api/v1/nothing"):
        challenge = (await road.call("GET", target)).header("www-authenticate")
        url = challenge.split('resource_metadata="')[1].split('"')[0]
        assert url.startswith(f"{ISSUER}/")
        assert (await road.call("GET", url.removeprefix(ISSUER))).status == 200


@pytest.mark.parametrize("path", ["", "/"])
async def test_the_root_document_is_the_gateways(road: Road, path: str) -> None:
    document = (await road.call("GET", f"{WELL_KNOWN}{path}")).json()
    assert (document["resource"], document["scopes_supported"]) == (ISSUER, ["jobs:read", "jobs:write"])


@pytest.mark.parametrize(
    "path", [f"{JOBS}/", f"{JOBS}/jobs/7", "/api/v1", "/api/v1/nothing", "//", KEYED, OPEN, THEIRS]
)
async def test_there_is_none_for_anything_else(road: Road, path: str) -> None:
    heard = await road.call("GET", f"{WELL_KNOWN}{path}")
    assert (heard.status, heard.json()["error"]) == (404, "not_found")


async def test_any_page_may_read_it(road: Road) -> None:
    heard = await road.call("GET", f"{WELL_KNOWN}{JOBS}", ("origin", "https://anywhere.example"))
    assert heard.header("access-control-allow-origin") == "*"
    assert (heard.header("cache-control"), heard.header("vary")) == ("public, max-age=300", "Origin")
    preflight = await road.call("OPTIONS", f"{WELL_KNOWN}{JOBS}")
    assert (preflight.status, preflight.header("access-control-allow-methods")) == (204, "GET, HEAD, OPTIONS")


async def test_head_and_other_methods(road: Road) -> None:
    head = await road.call("HEAD", f"{WELL_KNOWN}{JOBS}")
    assert (head.status, head.body) == (200, b"")
    assert int(head.header("content-length")) > 0
    post = await road.call("POST", f"{WELL_KNOWN}{JOBS}")
    assert (post.status, post.header("allow")) == (405, "GET, HEAD, OPTIONS")


async def test_the_host_of_a_request_changes_nothing(road: Road) -> None:
    sent = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "gopher")]
    plain, poisoned = [await road.call("GET", f"{WELL_KNOWN}{JOBS}", *headers) for headers in ([], sent)]
    assert plain.body == poisoned.body
