"""Why a check does not pass, or does not apply: each one by its id, so that none stays without a reason."""

from typing import Final

UNEXPLAINED: Final = "unexplained: "
_NO_TOOL = "asks for a tool of the suite's own"
_NO_SESSIONS = "there are no sessions"
_NO_CHANGES = "the list of tools is read again when it is stale, no change of it is announced"
_NO_IDS = "the gateway asks for the rest of a broken answer by itself, and gives its own events no ids to ask it by"
_REASONS: Final = {
    "sep-2575-server-rejects-undeclared-capability": _NO_TOOL,
    "sep-2575-missing-capability-http-400": _NO_TOOL,
    "sep-2575-http-server-no-independent-requests-on-stream": _NO_TOOL,
    "sep-2575-server-no-log-without-loglevel": _NO_TOOL,
    "server-sse-priming-event": _NO_IDS,
    "server-sse-retry-field": _NO_IDS,
    "server-sse-disconnect-resume": _NO_IDS,
    "server-session-id-visible-ascii": _NO_SESSIONS,
    "server-session-lifecycle-skipped": _NO_SESSIONS,
    "server-sse-multiple-streams-session": _NO_SESSIONS + ", without which the suite does not go on",
    "server-sse-streams-functional": "several requests at once are each answered with JSON",
    "sep-2575-server-sends-subscription-ack": _NO_CHANGES,
    "sep-2575-server-tags-subscription-id": _NO_CHANGES,
    "sep-2575-server-honors-notification-filter": _NO_CHANGES,
    "sep-2575-server-sends-prompts-list-changed-on-subscription": _NO_CHANGES,
    "sep-2575-server-sends-tools-list-changed-on-subscription": _NO_CHANGES,
}


def explained(check: str, said: str) -> str:
    """Why, in a few words; without one of ours the suite's own, marked."""
    return _REASONS.get(check, f"{UNEXPLAINED}{said}")
