"""What may be called: backends, their operations, and the compiled picture of both."""
