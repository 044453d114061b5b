"""One check of an authorization request per file; their order is in ``oauth_provider.authorize.run``."""
