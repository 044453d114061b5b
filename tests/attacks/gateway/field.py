"""One gateway, the backend behind it that remembers every byte, a listener nobody may reach, and tokens."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.attacks.gateway.conversation import BROKE_OFF, Conversation
from tests.attacks.table import NotMet
from tests.attacks.wire import Answer, head
from tests.proxy.raw_backend import Arrived, RawBackend, Step, Wire, answer

JOBS = "/api/v1/jobs"
ALICE, BOB = "user_alice", "user_bob"
# The tokens of as many people
CROWD = tuple(f"TC{number}" for number in range(8))
# Where a fault may open a breaker: each case has a backend of its own
FAULTS = 48
# Hosts of this machine, or of nobody, that the backends `inside…` have; staff gave none of them leave
INSIDE = ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "0177.0.0.1",
          "0.0.0.0",  # noqa: S104 - called, not listened on
          "169.254.169.254", "10.0.0.1", "100.64.0.1", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]",
          "[2002:7f00:1::]", "192.0.0.192", "224.0.0.1", "198.18.0.1", "①②⑦.0.0.1")  # fmt: skip
# What the HTTP server answers by itself, before anything of ours runs
PARSERS = {400, 414, 431}
TRACES = (b"Traceback", b'File "/', b"site-packages")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came back (None: closed without an answer), and what reached the backend meanwhile."""

    answer: Answer | None
    arrived: list[Arrived]
    closed: bool

    @property
    def status(self) -> int:
        """The status, 0 without an answer."""
        return self.answer.status if self.answer else 0

    @property
    def received(self) -> Arrived:
        """The one request the backend received.

        Raises:
            NotMet: it is not one.
        """
        if self.status != 200 or len(self.arrived) != 1:
            raise NotMet(f"{self.status}, and {len(self.arrived)} requests at the backend")
        return self.arrived[0]


@dataclass(kw_only=True)
class Field:
    """`port` is the gateway's; `staff` the credential of somebody who may read its audit log.

    `keeps` is all text that it kept of what happened: its database and what it printed.
    """

    port: int
    process_id: int
    variables: Mapping[str, str]
    backend: RawBackend
    evil: RawBackend
    tokens: Mapping[str, str]
    keeps: Callable[[], str]
    staff: str = ""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    # Requests as bytes

    def request(self, method: str, target: str, *lines: str, token: str = "TW") -> bytes:
        """A head with one Host and, unless `token` is empty, one credential; then `lines`."""
        credential = [f"Authorization: Bearer {self.tokens[token]}"] if token else []
        return head(method, target, f"Host: 127.0.0.1:{self.port}", *credential, *lines)

    def get(self, target: str = f"{JOBS}/v1/jobs", *lines: str, token: str = "TW") -> bytes:
        """A GET."""
        return self.request("GET", target, *lines, token=token)

    def post(self, *lines: str, target: str = f"{JOBS}/v1/applications", token: str = "TW") -> bytes:
        """The head of a POST of JSON."""
        return self.request("POST", target, "Content-Type: application/json", *lines, token=token)

    def nonce(self) -> str:
        """Never the same."""
        return f"nonce{next(self._numbers)}x"

    def fault(self) -> str:
        """The prefix of a public backend that no case has had."""
        return f"/api/v1/fault{next(self._numbers) % FAULTS}"

    @property
    def usual(self) -> Step:
        """What the backend does unless told otherwise."""
        return echo(self.backend)

    # What happens

    def attack(self, *pieces: bytes, follow: bool = True, within_s: float = 5.0, finish: bool = False) -> Outcome:
        """Write, read the answer, and see that the connection is closed or carries the next call to its own answer.

        Raises:
            NotMet: it does neither, a second request was run, or what came is a crash or may be kept by caches.
        """
        before = len(self.backend.arrived)
        with Conversation(self.port) as wire:
            wire.write(*pieces)
            if finish:
                wire.finish()
            heard = wire.answer(within_s=within_s, is_head=pieces[0].startswith(b"HEAD"))
            nonce = self.nonce()
            if heard is not None and follow:
                self._follow(wire, nonce)
            outcome = Outcome(answer=heard, arrived=self._arrived(before, nonce), closed=wire.is_closed)
        self.judge(heard)
        return outcome

    def answered_by(self, step: Step, *, within_s: float = 5.0) -> Answer | None:
        """What a caller hears of a backend that does `step` to every request; None when it is broken off."""
        self.backend.says(step)
        try:
            with Conversation(self.port) as wire:
                wire.write(self.get(f"{self.fault()}/a", token=""))
                return wire.answer(within_s=within_s)
        except NotMet as fault:
            if str(fault) != BROKE_OFF:
                raise
            return None
        finally:
            self.backend.says(self.usual)

    def judge(self, heard: Answer | None) -> None:
        """The rules of every row.

        Raises:
            NotMet: one is broken.
        """
        if heard is None:
            return
        if heard.status >= 500 and heard.status not in {501, 502, 503, 504, 505, 508}:
            raise NotMet(f"{heard.status}")
        if any(trace in heard.body for trace in TRACES):
            raise NotMet("a stack trace")
        is_the_servers = heard.status in PARSERS and "x-request-id" not in heard.headers
        if not is_the_servers and not {"no-store", "private"} & {
            part.strip() for part in heard.headers.get("cache-control", "").split(",")
        }:
            raise NotMet(f"{heard.status} that caches may keep")

    def _follow(self, wire: Conversation, nonce: str) -> None:
        wire.write(self.get(f"{JOBS}/v1/jobs?{nonce}"))
        following = wire.answer(within_s=3)
        if following is not None and nonce.encode() not in following.body:
            raise NotMet("a second request was run" if following.status < 400 else "the next call got another's answer")

    def _arrived(self, before: int, nonce: str) -> list[Arrived]:
        return [request for request in self.backend.arrived[before:] if nonce not in request.target]

    def call(self, target: str = f"{JOBS}/v1/jobs", *lines: str, token: str = "TW") -> Outcome:
        """A GET and what comes of it."""
        return self.attack(self.get(target, *lines, token=token))

    def events(self, request_id: str) -> Any:
        """The events of a call in the audit log.

        Raises:
            NotMet: there is no such log.
        """
        target = f"/api/manage/v1/audit/events/?request_id={request_id}"
        with Conversation(self.port) as wire:
            wire.write(head("GET", target, f"Host: 127.0.0.1:{self.port}", f"Authorization: {self.staff}"))
            heard = wire.answer(within_s=10)
        if heard is None or heard.status != 200:
            raise NotMet("there is no audit log")
        return heard.json()["results"]

    def healthy(self, calls: int = 3, *, only: str = "") -> None:
        """Calls by two people, or by the one whose token is `only`, each answered with what it asked.

        Raises:
            NotMet: one is not.
        """
        people = [person for person in (("TW", ALICE), ("TB", BOB)) if only in {"", person[0]}]
        for number in range(calls):
            nonce, (token, user) = self.nonce(), people[number % len(people)]
            with Conversation(self.port) as wire:
                wire.write(self.get(f"{JOBS}/v1/jobs?{nonce}", token=token))
                heard = wire.answer()
            if heard is None or heard.status != 200:
                raise NotMet(f"a healthy call got {heard.status if heard else 'nothing'}")
            if said(heard) != {"target": f"/base/v1/jobs?{nonce}", "user": user}:
                raise NotMet("a healthy call got another's answer")


# Bytes made for a field
Sent = Callable[[Field], bytes]


def said(heard: Answer) -> Any:
    """What the backend said of the call."""
    try:
        return json.loads(heard.body)
    except ValueError:
        return None


def refused(outcome: Outcome, *statuses: int, close: bool = False) -> None:
    """It was, with one of `statuses` or by closing the connection, and the backend heard nothing.

    Raises:
        NotMet: otherwise.
    """
    if outcome.arrived:
        raise NotMet(f"{outcome.status}, and the backend was called")
    if outcome.answer is not None and outcome.status not in statuses:
        raise NotMet(f"{outcome.status}")
    if close and outcome.answer is not None and not outcome.closed:
        raise NotMet(f"{outcome.status}, and the connection goes on")


def echo(backend: RawBackend) -> Step:
    """The usual step: what was asked, by whom."""

    async def step(wire: Wire) -> None:
        arrived = backend.arrived[-1]
        users = arrived.values("x-user-id")
        body = json.dumps({"target": arrived.target, "user": users[0] if len(users) == 1 else users}).encode()
        await wire.write(answer(body, "Content-Type: application/json"))

    return step
