"""A command that goes a walk through the demo and tells of each step in the terminal."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway_project.demo.data import USERS
from gateway_project.demo.facts import Facts
from gateway_project.demo.running import NoDemo, running_demo
from gateway_project.demo.walk import Step, WalkEnded


class WalkCommand(BaseCommand):
    """Starts the demo when it is not running, and stops it again."""

    last_words: ClassVar[str] = ""

    def steps(self, facts: Facts, username: str) -> Iterator[Step]:
        """The walk of `username`, step by step."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        """Who signs in."""
        parser.add_argument("--user", default="ana", choices=[name for name, _id in USERS], help="who signs in")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Go the way and tell of it.

        Raises:
            CommandError: there is no demo, or a step did not go as it must.
        """
        try:
            with running_demo(self.stdout.write) as facts:
                for number, step in enumerate(self.steps(facts, options["user"]), start=1):
                    self._tell(number, step)
        except (NoDemo, WalkEnded) as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"\n{self.last_words}")

    def _tell(self, number: int, step: Step) -> None:
        self.stdout.write(f"\n{number}. {step.title}\n   {step.in_life}")
        if step.differences:
            self.stdout.write(f"   {step.differences}")
        for line in step.lines:
            self.stdout.write(f"     {line}")
