"""Clients whose client id is the address of a document about them (draft-ietf-oauth-client-id-metadata-document-02)."""
