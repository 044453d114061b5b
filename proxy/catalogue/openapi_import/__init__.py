"""From a service's OpenAPI document to operations: read, propose, compare with what is there, store."""
