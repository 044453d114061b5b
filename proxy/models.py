"""Index of the slices' models, so that Django finds them."""

from proxy.catalogue.models import Backend, Operation
from proxy.idempotency.models import KeptCall
from proxy.issuers.models import Issuer
from proxy.limits.models import Limit

__all__ = ["Backend", "Issuer", "KeptCall", "Limit", "Operation"]
