"""Index of the slices' models, so that Django finds them."""

from proxy.catalogue.models import Backend, Operation

__all__ = ["Backend", "Operation"]
