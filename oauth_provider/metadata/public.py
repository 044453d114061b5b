"""Documents anybody may read from anywhere: no cookie decides what is in them."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_http_methods

from oauth_provider.keys.signing import JWKS_MAX_AGE_S

Document = Callable[..., HttpResponseBase]

_METHODS = ("GET", "HEAD", "OPTIONS")
_PREFLIGHT = {
    # MCP clients in browsers send MCP-Protocol-Version, which the Fetch standard asks about first. A wildcard covers
    # every header but Authorization, which these documents have no use for.
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": ", ".join(_METHODS),
    "Access-Control-Max-Age": "86400",
}


def public_document(view: Document) -> Document:
    """Let any origin read a document, after a preflight or without, and caches keep it for a few minutes."""

    @require_http_methods(list(_METHODS))
    @wraps(view)
    def public(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method == "OPTIONS":
            response: HttpResponseBase = HttpResponse(status=204, headers=_PREFLIGHT)
        else:
            response = view(request, *args, **kwargs)
            response["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE_S}"
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return public
