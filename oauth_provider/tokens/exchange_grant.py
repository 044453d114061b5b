"""The protocol of a token exchange, as a grant type of oauthlib's token endpoint (RFC 8693 section 2)."""

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from typing_extensions import override

from oauth_provider.tokens.exchange import TOKEN_EXCHANGE
from oauth_provider.tokens.own_grant import OwnGrant

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type's name


class TokenExchangeGrant(OwnGrant):
    """An access token in, an access token out; never a refresh token, and no token of an actor beside it."""

    grant_type = TOKEN_EXCHANGE
    told = {"issued_token_type": ACCESS_TOKEN_TYPE}

    @override
    def check(self, request: Request) -> None:
        """The subject token, and the scopes it can pay for (sections 2.1 and 2.2)."""
        if not self._validator.validate_subject_token(_subject_token(request), request.client, request):
            raise errors.InvalidRequestError("The subject token cannot be exchanged.", request=request)
        offered = self._validator.exchangeable_scopes()
        request.scopes = request.scopes or offered
        if not request.scopes or not set(request.scopes) <= set(offered):
            raise errors.InvalidScopeError(request=request)


def _subject_token(request: Request) -> str:
    sent = dict(request.decoded_body)
    if "actor_token" in sent or "actor_token_type" in sent:
        raise errors.InvalidRequestError("actor_token is not supported.", request=request)
    if not sent.get("subject_token") or sent.get("subject_token_type") != ACCESS_TOKEN_TYPE:
        raise errors.InvalidRequestError(
            f"Send subject_token, and subject_token_type {ACCESS_TOKEN_TYPE}.", request=request
        )
    if sent.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise errors.InvalidRequestError(f"Only {ACCESS_TOKEN_TYPE} is issued.", request=request)
    if "audience" in sent:
        raise errors.InvalidRequestError("audience is not supported: name the API with resource.", request=request)
    return str(sent["subject_token"])
