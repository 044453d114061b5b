"""Index of the slices' models, so that Django finds them."""

from proxy.catalogue.models import Backend, Operation
from proxy.issuers.models import Issuer

__all__ = ["Backend", "Issuer", "Operation"]
