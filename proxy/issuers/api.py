"""`issuers/`: whose tokens count beside our own."""

from typing import Any

from oauth_provider.staff_api.views import Writable
from proxy.issuers.models import Issuer
from proxy.issuers.save import remove_issuer, save_issuer
from proxy.issuers.serializers import IssuerSerializer


class IssuerView(Writable):
    """An external issuer by its name; deleting one refuses its tokens at once."""

    resource = "issuers"
    model = Issuer
    serializer_class = IssuerSerializer
    lookup_field = "name"
    key_converter = "str"
    order = ("name",)
    # Whom to trust, and how: every field but the mapping says it, and the mapping says who somebody is
    access_fields = frozenset(
        {"issuer", "audience", "jwks_url", "algorithms", "claims", "allow_private", "enabled"}
    )  # fmt: skip

    def make(self, values: dict[str, Any]) -> Issuer:
        """A new one; its tokens count from now on."""
        issuer = Issuer(**values)
        save_issuer(issuer=issuer, actor=self.actor, fields=values, note=self.reason)
        return issuer

    def change(self, row: Issuer, values: dict[str, Any], reason: str) -> None:
        """Where its keys are, what its tokens must say, whether they count."""
        for name, value in values.items():
            setattr(row, name, value)
        save_issuer(issuer=row, actor=self.actor, fields=values, note=reason)

    def remove(self, row: Issuer, reason: str) -> None:
        """Its tokens open nothing from now on."""
        remove_issuer(issuer=row, actor=self.actor, note=reason)
