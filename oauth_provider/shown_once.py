"""A secret on its way from the request that made it to the page that shows it, once.

It waits sealed in the session: showing it in the answer to the POST itself would make a second one at every reload.
"""

import time

from django.http import HttpRequest

from oauth_provider.keys.encryption import Undecipherable, decrypt, encrypt

_KEY = "shown_once"
MAX_AGE_S = 600


def keep(request: HttpRequest, *, name: str, secret: str) -> None:
    """Let the next page that asks for `name` in this session show `secret`, for ten minutes at most."""
    now = time.time()
    waiting = {other: kept for other, kept in request.session.get(_KEY, {}).items() if now - kept[1] <= MAX_AGE_S}
    request.session[_KEY] = {**waiting, name: [encrypt(secret.encode()), now]}


def take(request: HttpRequest, *, name: str) -> str:
    """The secret kept under `name`, which is forgotten by this; "" when there is none any more."""
    waiting = dict(request.session.get(_KEY, {}))
    sealed, kept_at = waiting.pop(name, ("", 0.0))
    if not sealed:
        return ""
    request.session[_KEY] = waiting
    if time.time() - kept_at > MAX_AGE_S:
        return ""
    try:
        return decrypt(sealed).decode()
    except Undecipherable:
        return ""
