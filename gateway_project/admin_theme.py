"""How the admin looks, and what its sidebar offers; read by unfold as the setting UNFOLD."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

MARK = "gatehouse/mark.svg"


def _mark(_request: HttpRequest) -> str:
    return static(MARK)


def _may(permission: str, request: HttpRequest) -> bool:
    return request.user.has_perm(permission)


def _is_superuser(request: HttpRequest) -> bool:
    return request.user.is_superuser


def _page(title: Promise | str, icon: str, model: str) -> dict[str, Any]:
    app, _dot, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": partial(_may, f"{app}.view_{name}"),
    }


NAVIGATION = [
    {"items": [{"title": _("Start"), "icon": "home", "link": reverse_lazy("admin:index")}]},
    {
        "title": _("Who connects"),
        "items": [
            _page(_("Clients"), "apps", "oauth_provider.client"),
            _page(_("Connections"), "link", "oauth_provider.connection"),
            _page(pgettext_lazy("the name of a page", "API keys"), "key", "oauth_provider.apikey"),
        ],
    },
    {
        "title": _("Who registers by itself"),
        "items": [
            _page(_("Registration policy"), "how_to_reg", "oauth_provider.registrationpolicy"),
            _page(_("Listed programs"), "list_alt", "oauth_provider.listedclient"),
            _page(_("Invitations"), "mail", "oauth_provider.initialaccesstoken"),
            _page(_("Metadata documents"), "description", "oauth_provider.metadatadocument"),
        ],
    },
    {
        "title": _("What they may call"),
        "items": [
            _page(_("Backends"), "dns", "proxy.backend"),
            _page(_("Operations"), "route", "proxy.operation"),
            _page(_("Pages for tools"), "web", "proxy.uiresource"),
            _page(_("MCP servers"), "hub", "proxy.mcpserver"),
            _page(_("Health of the backends"), "monitor_heart", "proxy.backendcheck")
            | {"permission": partial(_may, "proxy.view_backend")},
            _page(_("Permissions"), "checklist", "oauth_provider.scope"),
            _page(_("Issuers"), "verified_user", "proxy.issuer"),
            _page(_("Limits"), "speed", "proxy.limit"),
        ],
    },
    {
        "title": _("People"),
        "items": [
            _page(_("Users"), "person", "auth.user"),
            _page(_("Staff roles"), "badge", "auth.group") | {"permission": _is_superuser},
            _page(_("Staff tokens"), "vpn_key", "oauth_provider.stafftoken"),
        ],
    },
    {
        "title": _("What happened"),
        "items": [
            _page(_("Audit log"), "history", "audit.event"),
            _page(_("Signing keys"), "encrypted", "oauth_provider.signingkey"),
        ],
    },
]

ADMIN_THEME: dict[str, Any] = {
    "SITE_TITLE": "Gatehouse",
    "SITE_HEADER": "Gatehouse",
    "SITE_SUBHEADER": _("Administration"),
    "SITE_URL": reverse_lazy("connected_apps:list"),
    "SITE_ICON": _mark,
    "SITE_FAVICONS": [{"rel": "icon", "href": _mark, "type": "image/svg+xml"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"navigation": NAVIGATION},
    "COLORS": {
        # The accent of the public pages; 600 carries white text, 500 is read on dark
        "primary": {
            "50": "oklch(97.5% .015 188)",
            "100": "oklch(94.5% .03 188)",
            "200": "oklch(89% .055 188)",
            "300": "oklch(82% .08 187)",
            "400": "oklch(77% .095 186)",
            "500": "oklch(73% .1 186)",
            "600": "oklch(43.5% .074 188)",
            "700": "oklch(38.5% .066 188)",
            "800": "oklch(33.5% .057 188)",
            "900": "oklch(28.5% .048 189)",
            "950": "oklch(22% .036 190)",
        },
    },
}
