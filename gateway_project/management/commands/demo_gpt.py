"""Walk the way of a custom GPT through the running demo, in the terminal."""

from collections.abc import Iterator

from gateway_project.demo.facts import Facts
from gateway_project.demo.gpt_walk import GptWalk
from gateway_project.demo.walk import Step
from gateway_project.demo.walk_command import WalkCommand


class Command(WalkCommand):
    """The way of ChatGPT with an action."""

    help = "From the OpenAPI document to the revoked token: what ChatGPT does, step by step."
    last_words = "That is all ChatGPT does. Every step above is in the audit log."

    def steps(self, facts: Facts, username: str) -> Iterator[Step]:
        """Every step of the demo's GPT."""
        return GptWalk(facts, username).steps()
