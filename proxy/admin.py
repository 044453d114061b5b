"""Index of the slices' admin, so that Django finds them."""

from proxy.catalogue.admin import BackendAdmin, OperationAdmin

__all__ = ["BackendAdmin", "OperationAdmin"]
