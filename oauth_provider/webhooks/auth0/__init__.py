"""Companies whose issuer is Auth0: clients that registered themselves there are made ready to sign people in."""
