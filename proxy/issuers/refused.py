"""Why an external token opens nothing, and what to do when nobody can say."""


class InvalidExternalToken(Exception):
    """The token opens nothing. `reason` is a slug for the ledger; the caller learns no more than that it is refused.

    malformed, unknown_issuer, header_parameter, token_type, algorithm_refused, unknown_key, bad_signature, no_expiry,
    expired, not_yet_valid, no_subject, claim_malformed, inactive_user.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had now, so nobody can say whether a token is good; ask again in `retry_after_s`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s
