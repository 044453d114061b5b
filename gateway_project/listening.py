"""Whether an address can be listened on: asked first, because the server shares its port with whoever allows it."""

import socket


class PortTaken(SystemExit):
    """Ends the process unless it is caught: another process listens there, or the address is not this machine's."""


def require_free(host: str, port: int) -> None:
    """Check that this process could listen on `host`:`port` alone (granian sets SO_REUSEPORT and would not notice).

    Raises:
        PortTaken: it could not; the message says why.
    """
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # Connections that linger from a server that just stopped do not count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        raise PortTaken(
            f"{host}:{port} cannot be listened on ({fault.strerror}). "
            f"Stop what listens there, or choose another port: PORT={port + 100}"
        ) from fault
