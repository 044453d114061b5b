"""What a custom GPT reads of a backend: an OpenAPI 3.1 document within the limits of GPT Actions."""
