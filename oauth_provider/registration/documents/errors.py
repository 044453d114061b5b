"""Why a client that is described by its own document is not known here."""


class DocumentError(Exception):
    """Root of the refusals below. `reason` is for the ledger; `description` is ASCII, for whoever wrote the client.

    DocumentError
    ├── BadAddressError          the client id cannot be the address of a document; nobody was asked
    ├── UnwelcomeError           staff do not let it in; nobody was asked
    ├── InvalidDocumentError     what was served is no description of this client
    └── UnavailableError         nothing was served, and no older copy is good enough
    """

    def __init__(self, reason: str, description: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.description = description


class BadAddressError(DocumentError):
    """Section 3 of the draft."""


class UnwelcomeError(DocumentError):
    """The policy or the list says no."""


class InvalidDocumentError(DocumentError):
    """Section 4 of the draft; the description names the field."""


class UnavailableError(DocumentError):
    """The same words whatever went wrong, so that nobody explores a network by asking us."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "The metadata document could not be fetched. Serve it with status 200 as JSON.")
