"""The demo's own backends, `careers` and `echo`: plain ASGI applications without Django or a database."""
