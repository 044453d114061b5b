"""Transform: what of a message may cross, in either direction. Names compare without case and separators."""

from functools import lru_cache

from django.conf import settings

from proxy.catalogue.header_names import folded
from proxy.catalogue.models import AuthMode
from proxy.pipeline.call import Headers, Identified, Received, Transformed
from proxy.pipeline.locate import via_pseudonym
from proxy.refusals import BadRequest, InvalidCredential

# OpenID Connect Core section 2: no subject is longer
SUBJECT_MAX = 255
_HOP_BY_HOP = frozenset(
    {"connection", "keepalive", "proxyconnection", "proxyauthenticate", "proxyauthenticationinfo", "te", "trailer",
     "trailers", "transferencoding", "upgrade", "http2settings"}
)  # fmt: skip
# Each is written anew, by us or by the transport
_REBUILT = frozenset(
    {"host", "contentlength", "expect", "via", "forwarded", "xrealip", "traceparent", "tracestate", "xrequestid",
     "xrequestdeadlinems", "maxforwards"}
)  # fmt: skip
_CREDENTIALS = frozenset(
    {"authorization", "cookie", "cookie2", "proxyauthorization", "xapikey", "xauthtoken", "xaccesstoken"}
)
_IDENTITY = frozenset(
    {"xclientid", "xscopes", "xscope", "xroles", "xrole", "xtenantid", "xconsumerid", "remoteuser", "xremoteuser",
     "remoteemail", "remotegroups", "remotename", "xremoteemail", "xremotegroups"}
)  # fmt: skip
_STEERING = frozenset(
    {"xhttpmethodoverride", "xhttpmethod", "xmethodoverride", "xoriginalurl", "xoriginaluri", "xoriginalhost",
     "xrewriteurl", "xhttppath", "xhost", "xclientip", "xclusterclientip", "cfconnectingip",
     "trueclientip", "fastlyclientip",
     # A backend that runs CGI would take it for the HTTP_PROXY of its own calls (CVE-2016-5385)
     "proxy"}
)  # fmt: skip
_DROPPED_INWARD = _HOP_BY_HOP | _REBUILT | _CREDENTIALS | _IDENTITY | _STEERING
_DROPPED_INWARD_PREFIXES = (
    "xuser", "xgateway", "xauth", "xorg", "xforwarded", "openaiephemeral", "xopenaiephemeral",
    # What other front servers say of the caller: certificates (RFC 9440), AWS, Google, Azure, Cloudflare, Grafana,
    # Pomerium, Tailscale, Kong and Kubernetes. A backend that stood behind one of them may still believe it
    "clientcert", "xclientcert", "sslclient", "xsslclient", "xamznoidc", "xgoogauthenticated", "xgoogiap",
    "xmsclientprincipal", "xmstoken", "cfaccess", "xwebauth", "xpomerium", "tailscaleuser", "xconsumer",
    "xcredentialidentifier", "xjwtassertion", "xjwtpayload", "impersonate", "ximpersonate",
)  # fmt: skip


def transform(identified: Identified, *, traceparent: str) -> Transformed:
    """The request headers that reach the backend before the gateway adds its own; names in lower case.

    `traceparent` says where in a trace the call to the backend stands (W3C Trace Context section 3.2).

    Raises:
        BadRequest: a header value holds a control character.
        InvalidCredential: the subject it stands for is longer than a header may be.
    """
    _check_subject(identified)
    received, backend = identified.located.received, identified.backend
    listed = _connection_listed(received)
    own = backend.own_headers
    passes_credential = identified.principal.kind == AuthMode.PASSTHROUGH
    passed = []
    for raw_name, raw_value in received.headers:
        name, crosses = inward(raw_name)
        keeps_credential = passes_credential and name == "authorization"
        if name == "range" and _are_many(raw_value, received):
            # RFC 9110 section 14.2: many small ranges cost a backend much; without the field it answers with all
            continue
        if (crosses and not (own and folded(name) in own) and name not in listed) or keeps_credential:
            passed.append((name, _value(raw_value)))
    return Transformed(
        identified=identified,
        headers=(
            *passed,
            *_rebuilt(received.address, backend.prefix),
            ("x-request-id", received.request_id),
            ("traceparent", traceparent),
        ),
    )


def _check_subject(identified: Identified) -> None:
    # It stands in several headers, in the assertion and perhaps in the query: too long, and the backend refuses them
    user, backend = identified.principal.user, identified.backend
    if user is not None and len(user.external_id) > SUBJECT_MAX:
        challenge = backend.challenge(backend.scopes, "invalid_token")
        raise InvalidCredential(reason="subject_too_long", headers=(("www-authenticate", challenge),))


@lru_cache(maxsize=2048)
def inward(raw_name: bytes) -> tuple[str, bool]:
    """A request header's name in lower case, and whether clients may send it to backends."""
    name = raw_name.decode("latin-1").lower()
    plain = folded(name)
    drops = (
        plain in _DROPPED_INWARD
        or plain.startswith(_DROPPED_INWARD_PREFIXES)
        # X-Clerk-User-Id, X-Gpt-Clerk-User-Id and whatever else a backend may read a user from
        or plain.endswith("userid")
        or not plain
    )
    return name, not drops


def _are_many(ranges: bytes, received: Received) -> bool:
    # Two lines are one list (RFC 9110 section 5.3)
    return b"," in ranges or [name for name, _value in received.headers].count(b"range") > 1


def _connection_listed(received: Received) -> frozenset[str]:
    # RFC 9110 section 7.6.1; it is the client's own headers that it can name, ours come later
    values = [value for name, value in received.headers if name == b"connection"]
    if not values:
        return frozenset()
    return frozenset(token.strip().lower() for value in values for token in value.decode("latin-1").split(","))


def _value(raw: bytes) -> str:
    value = raw.decode("latin-1")
    if "\r" in value or "\n" in value or "\0" in value:
        raise BadRequest(reason="control_character_in_header")
    return value


@lru_cache(maxsize=8192)
def _rebuilt(address: str, prefix: str) -> Headers:
    scheme, _separator, authority = settings.PUBLIC_BASE_URL.partition("://")
    quoted = f'"[{address}]"' if ":" in address else address
    origin = ((
        ("x-forwarded-for", address), ("x-real-ip", address),
        ("forwarded", f'for={quoted};host="{authority}";proto={scheme}'),
    ) if address else ())  # fmt: skip
    return (
        *origin,
        ("x-forwarded-host", authority),
        ("x-forwarded-proto", scheme),
        ("x-forwarded-prefix", prefix),
        ("via", f"1.1 {via_pseudonym()}"),
    )
