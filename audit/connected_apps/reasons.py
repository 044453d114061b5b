"""Why a call was not carried out, in words a person understands: one for every reason the data plane records."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_SLUGS: Mapping[str | Promise, tuple[str, ...]] = {
    _("you did not give this permission"): ("insufficient_scope",),
    _("too many calls at a time"): ("rate_limited",),
    _("its access had expired"): ("expired",),
    _("its access had been revoked"): ("revoked", "no_connection"),
    _("its access was for another service"): ("wrong_audience",),
    _("its access came from somewhere that is not trusted here"): ("unknown_issuer",),
    _("whoever gave its access does not answer"): ("issuer_keys_unavailable",),
    _("its access was not valid"): (
        "unknown",
        "unknown_key",
        "bad_signature",
        "algorithm_refused",
        "header_parameter",
        "token_type",
        "no_expiry",
        "not_yet_valid",
        "no_subject",
        "claim_malformed",
        "malformed",
        "unauthenticated",
        "no_credential",
        "credential_in_query",
        "two_authorizations",
        "subject_too_long",
    ),
    _("your account is switched off"): ("inactive_user",),
    _("our staff suspended the application"): ("suspended_client",),
    _("there is nothing to call there"): ("not_registered", "no_backend", "method_not_allowed", "unknown_auth_mode"),
    _("its request could not be read"): (
        "invalid_request",
        "ambiguous_path",
        "query_character",
        "control_character_in_header",
        "duplicate_header",
        "header_character",
        "missing_host",
        "unknown_host",
        "target_form",
        "content_length",
        "body_length",
        "two_framings",
        "transfer_coding",
        "trailer",
    ),
    _("its request was too large"): ("body_too_large", "uri_too_long", "header_fields_too_large"),
    _("its request arrived too slowly"): ("slow_body",),
    _("it asked in a way that is not supported"): (
        "unknown_method",
        "upgrade_refused",
        "expectation_failed",
        "http_version",
    ),
    _("the service could not be reached"): (
        "backend_unreachable",
        "backend_name_unresolved",
        "backend_address_refused",
        "backend_certificate_refused",
        "backend_tls_failed",
        "backend_closed_after_handshake",
        "backend_token_refused",
        "backend_token_address_refused",
        "backend_token_unreadable",
        "backend_token_unavailable",
        "connect_timeout",
        "breaker_open",
        "loop_detected",
    ),
    _("the service did not answer in time"): ("backend_timeout", "backend_body_timeout", "backend_token_timeout"),
    _("the service gave an answer that could not be read"): (
        "backend_protocol_error",
        "backend_closed",
        "backend_wrong_length",
        "backend_body_broken",
        "backend_framing",
    ),
    _("the application did not wait for the answer"): ("client_gone",),
    _("too many calls were under way"): ("overloaded",),
    _("Gatehouse could not carry it out at that moment"): (
        "crash",
        "server_error",
        "unavailable",
        "audit_unavailable",
        "revocations_unknown",
        "identity_store_down",
        "no_signing_key",
        "shutdown",
    ),
}
WORDS: Mapping[str, str | Promise] = {slug: words for words, slugs in _SLUGS.items() for slug in slugs}


def reason_words(reason: str) -> str:
    """The words for `reason`, a slug of the ledger; old events may hold one that is no longer given."""
    return str(WORDS.get(reason, _("for another reason")))
