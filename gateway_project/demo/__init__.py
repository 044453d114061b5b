"""What `manage.py demo` brings into being, and the two backends it serves beside the gateway."""
