"""Why a message was not taken."""


class WebhookRefused(Exception):
    """`status` and `reason` answer the sender; neither says anything about a person or a client."""

    def __init__(self, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class NotYet(Exception):
    """It was understood and could not be carried out now: the sender may try again after `retry_after_s` seconds."""

    def __init__(self, reason: str, *, retry_after_s: int = 60) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
