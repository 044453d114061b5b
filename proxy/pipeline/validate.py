"""Validate: the operation exists, the principal may use it, and the body is not announced too large."""

from proxy.catalogue.matching import Found, OtherMethods
from proxy.catalogue.models import AuthMode
from proxy.catalogue.plans import OperationPlan
from proxy.pipeline.call import Identified, Transformed, Validated
from proxy.refusals import InsufficientScope, MethodNotAllowed, NotRegistered, TooLarge

_SCOPED_MODES = frozenset({AuthMode.OAUTH.value, AuthMode.ISSUER.value, AuthMode.API_KEY.value})


def validate(transformed: Transformed) -> Validated:
    """The call with its operation.

    Raises:
        NotRegistered: no operation has this path.
        MethodNotAllowed: one has, with other methods.
        InsufficientScope: the principal lacks a scope; the challenge names all that are needed (RFC 6750 section 3.1).
        TooLarge: the announced body exceeds what the operation takes; nothing of it was read.
    """
    identified = transformed.identified
    result = identified.located.match.result
    if isinstance(result, OtherMethods):
        raise MethodNotAllowed(headers=(("allow", result.allow),))
    if not isinstance(result, Found):
        raise NotRegistered
    operation = result.operation
    if operation.auth_mode in _SCOPED_MODES:
        # A scope that staff disabled a moment ago opens nothing, whatever the remembered principal says
        held = identified.principal.scopes & identified.located.snapshot.enabled_scopes
        if not operation.admits(held):
            raise InsufficientScope(headers=(("www-authenticate", _challenge(identified, operation, held)),))
    length = identified.located.received.body.length
    if length is not None and length > operation.max_request_bytes:
        raise TooLarge(operation.max_request_bytes)
    return Validated(transformed=transformed, operation=operation)


def _challenge(identified: Identified, operation: OperationPlan, held: frozenset[str]) -> str:
    named = identified.located.received.named
    if named is None:
        return identified.backend.challenge(operation.scopes, "insufficient_scope")
    # Whoever calls by name has one token for many operations: the next one must not lose what this one has
    return named.resource.challenge(tuple(sorted({*operation.scopes, *held})), "insufficient_scope")
