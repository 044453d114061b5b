"""What of a request crosses to the backend: end-to-end headers, and nothing that says who somebody is."""

from dataclasses import replace

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from proxy.catalogue.header_names import folded
from proxy.catalogue.plans import BackendPlan
from proxy.pipeline.call import Principal
from proxy.pipeline.locate import via_pseudonym
from proxy.pipeline.transform import inward, transform
from proxy.refusals import BadRequest, InvalidCredential
from tests.proxy.plans import ANA, NOBODY, PREFIX, backend_plan, identified, received

PARENT = "00-11111111111111111111111111111111-2222222222222222-00"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ADDED = {
    "x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix", "via",
    "x-request-id", "traceparent",
}  # fmt: skip


def crossing(
    *headers: tuple[str, str], backend: BackendPlan | None = None, principal: Principal = ANA
) -> list[tuple[str, str]]:
    """The headers that reach the backend, in their order."""
    request = received("GET", f"{PREFIX}/jobs", *headers)
    return list(transform(identified(request, backend or backend_plan(), principal), traceparent=PARENT).headers)


def from_client(*headers: tuple[str, str], backend: BackendPlan | None = None) -> list[tuple[str, str]]:
    """Those of them that the client wrote."""
    return [(name, value) for name, value in crossing(*headers, backend=backend) if name not in ADDED]


IDENTITY = [
    "X-User-Id", "X-User-Email", "X-User-Anything", "X-User", "X-UserId", "X-Gateway-Identity", "X-Gateway-Anything",
    "X-Auth-User", "X-Auth-Request-Email", "X-Authenticated-User", "X-Authenticated-Userid", "X-Client-Id", "X-Scopes",
    "X-Roles", "X-Org-Id", "X-Org-Role", "X-Tenant-Id", "X-Consumer-Id", "X-Clerk-User-Id", "X-Gpt-Clerk-User-Id",
    "Clerk-User-Id", "User-Id", "Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Forwarded-Email",
    "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "Remote-Email", "Remote-Groups", "X-Remote-Email",
    "X-Remote-Groups", "Openai-Ephemeral-User-Id",
    "Client-Cert", "Client-Cert-Chain", "X-Client-Cert", "X-SSL-Client-S-DN", "SSL-Client-Cert", "X-Amzn-Oidc-Data",
    "X-Goog-Authenticated-User-Email", "X-Goog-Iap-Jwt-Assertion", "X-MS-Client-Principal-Name",
    "X-MS-Token-AAD-Id-Token", "Cf-Access-Jwt-Assertion", "Cf-Access-Authenticated-User-Email", "X-WebAuth-User",
    "X-Pomerium-Jwt-Assertion", "Tailscale-User-Login", "X-Consumer-Username", "X-Credential-Identifier",
    "X-JWT-Assertion", "Impersonate-User", "X-Impersonate-User",
]  # fmt: skip
CREDENTIALS = [
    "Authorization", "Cookie", "Cookie2", "Proxy-Authorization", "X-API-Key", "X-Auth-Token", "X-Access-Token",
]  # fmt: skip
STEERING = [
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Original-URI",
    "X-Original-Host", "X-Rewrite-URL", "X-HTTP-Path", "X-Host", "X-Client-IP", "X-Cluster-Client-IP",
    "CF-Connecting-IP", "True-Client-IP", "Fastly-Client-IP", "Proxy",
]  # fmt: skip
HOP_BY_HOP = [
    "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE", "Trailer", "Transfer-Encoding",
    "Upgrade", "HTTP2-Settings",
]  # fmt: skip
REBUILT = [
    "Host", "Content-Length", "Expect", "Max-Forwards", "Tracestate", "X-Forwarded-Port", "X-Forwarded-Uri",
    "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Request-Deadline-Ms",
]  # fmt: skip


def spellings(name: str) -> list[str]:
    """The ways in which servers read the same header: case, and every separator that is a legal tchar."""
    found = [name, name.lower(), name.upper(), name.swapcase(), name.replace("-", "")]
    return [*found, *(name.replace("-", separator) for separator in "_.~!'|^`*+#$%&"), name.replace("-", "_", 1)]


@pytest.mark.parametrize("name", [*IDENTITY, *CREDENTIALS, *STEERING, *HOP_BY_HOP, *REBUILT])
def test_what_never_passes_inward_in_any_spelling(name: str) -> None:
    for spelling in spellings(name):
        assert from_client((spelling, "evil")) == [], spelling
        assert from_client((spelling, "evil"), ("x-other", "1"), (spelling, "")) == [("x-other", "1")], spelling


@given(st.sampled_from(IDENTITY), st.data())
def test_no_mixture_of_case_and_separators_gets_through(name: str, data: st.DataObject) -> None:
    spelled = "".join(
        data.draw(st.sampled_from("-_.~!"))
        if letter == "-"
        else data.draw(st.sampled_from([letter.lower(), letter.upper()]))
        for letter in name
    )
    assert inward(spelled.encode()) == (spelled.lower(), False)


@pytest.mark.parametrize("name", ["---", "_", "..", "~"])
def test_a_name_without_letters_does_not_cross(name: str) -> None:
    assert from_client((name, "x")) == []


@pytest.mark.parametrize(
    "header",
    [
        ("Accept", "application/json"), ("Accept-Encoding", "gzip"), ("Accept-Language", "pt-BR"),
        ("Content-Type", "a/b"), ("Content-Encoding", "gzip"), ("Idempotency-Key", "7"), ("If-None-Match", '"x"'),
        ("If-Match", "*"), ("Last-Event-Id", "9"), ("Range", "bytes=0-1"), ("User-Agent", "ChatGPT-User/1.0"),
        ("X-Correlation-Id", "c"), ("X-Trace-Colour", "blue"), ("Cache-Control", "no-cache"), ("Origin", "https://chatgpt.com"),
        ("Referer", "https://a"), ("X-Useless", "1"), ("X-Original-Language", "pt"),
    ],
)  # fmt: skip
def test_end_to_end_headers_cross_unchanged(header: tuple[str, str]) -> None:
    assert from_client(header) == [(header[0].lower(), header[1])]


def test_repeated_headers_keep_their_order() -> None:
    sent = [("x-b", "1"), ("x-a", "2"), ("x-b", "3"), ("x-b", "")]
    assert from_client(*sent) == sent


def test_one_range_crosses_and_several_do_not() -> None:
    assert from_client(("Range", "bytes=0-9")) == [("range", "bytes=0-9")]
    assert from_client(("Range", "bytes=0-9,20-29")) == []
    assert from_client(("Range", "bytes=0-9"), ("Range", "bytes=20-29")) == []


def test_what_connection_names_does_not_cross() -> None:
    sent = [
        ("Connection", "close, X-Foo"),
        ("connection", "\tX-Bar ,,"),
        ("x-foo", "1"),
        ("x-bar", "2"),
        ("x-baz", "3"),
    ]
    assert from_client(*sent) == [("x-baz", "3")]


def test_connection_cannot_name_what_the_gateway_adds() -> None:
    listed = ", ".join(sorted(ADDED))
    assert {name for name, _value in crossing(("Connection", listed))} == ADDED


def test_a_backends_own_header_names_are_not_the_clients_to_send() -> None:
    backend = backend_plan(identity_headers=("X-Candidate",), credential=("X-Service-Key", "s3cret"))
    sent = [("x-candidate", "evil"), ("X_Candidate", "evil"), ("x-service-key", "evil"), ("x.service.key", "evil")]
    assert from_client(*sent, backend=backend) == []
    assert from_client(*sent) == [(name.lower(), value) for name, value in sent]


def test_a_passed_through_authorization_crosses_and_nothing_else_of_the_kind() -> None:
    sent = [
        ("Authorization", "Bearer theirs"),
        ("Cookie", "a=b"),
        ("X-User-Id", "evil"),
        ("Connection", "authorization"),
    ]
    headers = crossing(*sent, principal=Principal(kind="passthrough"))
    assert [header for header in headers if header[0] not in ADDED] == [("authorization", "Bearer theirs")]


@pytest.mark.parametrize("principal", [ANA, NOBODY, replace(ANA, kind="api_key")])
def test_authorization_crosses_for_nobody_else(principal: Principal) -> None:
    assert "authorization" not in dict(crossing(("Authorization", "Bearer gh_at_x"), principal=principal))


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nX-User-Id: evil", "a\0b"])
def test_a_value_with_a_line_end_is_refused(value: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        crossing(("x-note", value))
    assert refusal.value.reason == "control_character_in_header"


def test_forwarding_headers_are_rebuilt_from_what_the_gateway_knows() -> None:
    scheme, _, authority = settings.PUBLIC_BASE_URL.partition("://")
    sent = [
        ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Host", "evil"), ("X-Forwarded-Proto", "gopher"),
        ("X-Real-IP", "6.6.6.6"), ("Forwarded", "for=6.6.6.6"), ("X-Forwarded-Prefix", "/evil"), ("Via", "1.1 evil"),
        ("X-Request-Id", "evil"),
    ]  # fmt: skip
    headers = crossing(*sent)
    assert "evil" not in str(headers)
    assert "6.6.6.6" not in str(headers)
    assert len(dict(headers)) == len(headers)
    assert dict(headers) | {"traceparent": ""} == {
        "x-forwarded-for": "203.0.113.9",
        "x-real-ip": "203.0.113.9",
        "forwarded": f'for=203.0.113.9;host="{authority}";proto={scheme}',
        "x-forwarded-host": authority,
        "x-forwarded-proto": scheme,
        "x-forwarded-prefix": PREFIX,
        "via": f"1.1 {via_pseudonym()}",
        "x-request-id": received().request_id,
        "traceparent": "",
    }


def test_an_ipv6_address_is_quoted_in_forwarded() -> None:
    request = received(address="2001:db8::7")
    headers = dict(transform(identified(request, backend_plan()), traceparent=PARENT).headers)
    assert headers["forwarded"].startswith('for="[2001:db8::7]";')
    assert headers["x-forwarded-for"] == "2001:db8::7"


def test_an_unknown_address_is_not_invented() -> None:
    headers = dict(transform(identified(received(address=""), backend_plan()), traceparent=PARENT).headers)
    assert not {"x-forwarded-for", "x-real-ip", "forwarded"} & set(headers)


def test_a_callers_own_word_on_the_trace_is_replaced() -> None:
    assert [value for name, value in crossing(("traceparent", TRACE)) if name == "traceparent"] == [PARENT]


def test_folding_leaves_letters_and_digits() -> None:
    assert folded("X_User.Id~9") == "xuserid9"


def test_a_subject_that_no_header_carries_is_refused_by_name() -> None:
    assert ANA.user is not None
    stranger = replace(ANA, user=replace(ANA.user, external_id="x" * 300 * 1024))
    with pytest.raises(InvalidCredential) as refusal:
        transform(identified(received(), backend_plan(), stranger), traceparent=PARENT)
    assert refusal.value.reason == "subject_too_long"
    assert 'error="invalid_token"' in dict(refusal.value.headers)["www-authenticate"]
