"""One call, six stages."""
