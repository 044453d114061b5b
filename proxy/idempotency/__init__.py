"""One effect for one Idempotency-Key, however often the call comes (draft-ietf-httpapi-idempotency-key-header-07)."""
