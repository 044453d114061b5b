"""The four permissions of OpenID Connect that this server knows (Core sections 3.1.2.1, 5.4 and 11).

They are about the person and not about any API, so every client that people connect may ask for them: clients request
all that the metadata lists. Staff decide about their words and whether they are offered at all.
"""

from typing import Any, Final

from oauth_provider.scopes.add import add_scope
from oauth_provider.scopes.models import Scope

OPENID: Final = "openid"
PROFILE: Final = "profile"
EMAIL: Final = "email"
OFFLINE_ACCESS: Final = "offline_access"
OPENID_SCOPES: Final = frozenset({OPENID, PROFILE, EMAIL, OFFLINE_ACCESS})

_WORDS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": OPENID,
        "title": "Know who you are",
        "description": "The id that this service has for you, and when you signed in. Neither your name nor your "
        "e-mail address.",
        "translations": {
            "pt-br": {
                "title": "Saber quem você é",
                "description": "O identificador que este serviço tem para você e quando você entrou. Nem seu nome nem "
                "seu e-mail.",
            }
        },
    },
    {
        "name": PROFILE,
        "title": "See your name",
        "description": "Your name, and the user name you sign in with.",
        "translations": {
            "pt-br": {
                "title": "Ver seu nome",
                "description": "Seu nome e o nome de usuário com que você entra.",
            }
        },
    },
    {
        "name": EMAIL,
        "title": "See your e-mail address",
        "description": "The address this service has for you, and whether it was verified that it is yours.",
        "translations": {
            "pt-br": {
                "title": "Ver seu e-mail",
                "description": "O endereço que este serviço tem para você e se foi verificado que ele é seu.",
            }
        },
    },
    {
        "name": OFFLINE_ACCESS,
        "title": "Stay connected",
        "description": "It renews its access by itself, for as long as you choose below. Without this it has to ask "
        "you again when its access expires.",
        "translations": {
            "pt-br": {
                "title": "Continuar conectado",
                "description": "Ele renova o acesso sozinho, pelo tempo que você escolher abaixo. Sem isto, precisa "
                "pedir de novo quando o acesso expirar.",
            }
        },
    },
)


def add_openid_scopes() -> None:
    """Bring the four into being, offered at first; what staff made of existing ones stays."""
    for words in _WORDS:
        add_scope(scope=Scope(**words), reason="openid")
