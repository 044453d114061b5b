"""Why a document is not imported.

    ImportFault
    |- BadDocument       it cannot be read, or refers to what is not in it
    |- OperationRefused  the data plane could not run one of its operations
    `- ChangedMeanwhile  the operations are not those that were looked at any more

The message is for whoever gave the document.
"""

from django.utils.translation import gettext as _


class ImportFault(Exception):
    """Root of the above; nothing was stored."""


class BadDocument(ImportFault):
    """It cannot be read, or refers to what is not in it."""


class OperationRefused(ImportFault):
    """The data plane could not run one of its operations."""


class ChangedMeanwhile(ImportFault):
    """The operations are not those that were looked at any more."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed the operations meanwhile: look at the differences again."))
