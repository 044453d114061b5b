#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

# A deployment sets at least one of these
DEPLOYED = ("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL")
INTERRUPTED = 130


def main() -> None:
    """Run the command; a clone where nothing is configured is a developer's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")
    if sys.argv[1:2] in (["demo"], ["demo_gpt"], ["demo_mcp"]):
        os.environ.setdefault("DEMO", "1")
    elif not any(os.environ.get(name) for name in (*DEPLOYED, "DEMO")):
        os.environ.setdefault("DEBUG", "1")
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        # As a shell counts a program that was interrupted; where it was is of no use to whoever did it
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
