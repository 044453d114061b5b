"""The development server: the ASGI application as it is served in production, started anew on every change."""

import os
import re
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.autoreload import get_child_arguments, raise_last_exception, run_with_reloader
from django.utils.module_loading import import_string

from gateway_project.listening import PortTaken

# By name: a mistake in the code must not keep this command from waiting for its correction
SERVE_HERE = "gateway_project.development.serve_here"
ADDRESS = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?(?P<port>[0-9]+)")


class Command(BaseCommand):
    """Django's own would serve the control plane alone, through WSGI."""

    help = "Serve the gateway for development; started anew whenever the code changes."
    requires_system_checks = []
    suppressed_base_arguments = {"--verbosity", "--traceback"}

    def add_arguments(self, parser: CommandParser) -> None:
        """The arguments Django developers know."""
        parser.add_argument("addrport", nargs="?", default="", help="port, or address:port; default: HOST and PORT")
        parser.add_argument("--noreload", action="store_false", dest="reload", help="do not watch the code")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until interrupted."""
        self._take_address(options["addrport"])
        if options["reload"]:
            run_with_reloader(self._serve)
            # Interrupted: the server's threads would meet an interpreter that is going away, and might never end
            os._exit(0)
        else:
            self._serve()

    def _take_address(self, addrport: str) -> None:
        """Make HOST and PORT those of the command line; the issuer follows them, so the settings are read again."""
        environment = settings.ENVIRONMENT
        parts = ADDRESS.fullmatch(addrport or str(environment.PORT))
        if not parts:
            raise CommandError(f"{addrport!r} is neither a port nor an address:port.")
        host, port = (parts["host"] or environment.HOST).strip("[]"), parts["port"]
        if (host, int(port)) != (environment.HOST, environment.PORT):
            os.environ |= {"HOST": host, "PORT": port}
            arguments = get_child_arguments()
            os.execv(arguments[0], arguments)  # noqa: S606 - this very command again

    def _serve(self) -> None:
        raise_last_exception()
        self.check(display_num_errors=True)
        self.stdout.write(f"Gatehouse at {settings.PUBLIC_BASE_URL}/\nQuit with CONTROL-C.")
        try:
            import_string(SERVE_HERE)()
        except (PortTaken, SystemExit) as fault:
            self.stderr.write(str(fault))
            self.stderr.flush()
            # The reloader runs this in a thread, where SystemExit ends nothing
            os._exit(1)
