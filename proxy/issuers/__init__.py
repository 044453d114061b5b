"""External issuers: whose tokens count beside our own, their keys, and the check of each token."""
