"""Which limits a call falls under: compiled when the catalogue moves, looked up once for each kind of call."""

from collections.abc import Iterable
from dataclasses import dataclass

from proxy.limits.counting import Wanted
from proxy.limits.models import Limit, Per

CACHE_MAX = 10_000
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A limit as it is applied; an empty selector names everything. `name` is what callers read in RateLimit."""

    name: str
    per: str
    max_calls: int
    window_ms: int
    backend: str = ""
    operation: str = ""
    client: str = ""
    tier: str = ""

    @property
    def weight(self) -> int:
        """How specific it is: an operation more than a client, a client more than a backend; the default least."""
        selected = 4 * bool(self.operation) + 2 * bool(self.client) + bool(self.backend)
        return -1 if self.name == DEFAULT else selected


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What of a call decides: names as the ledger has them, "" for what it has not. `tier` is the agent's claim."""

    backend: str
    operation: str
    user: str
    client: str
    tenant: str
    address: str
    tier: str = ""

    @property
    def own(self) -> str:
        """By what the default limit counts: the user, else the client, else the address."""
        return Per.USER if self.user else Per.CLIENT if self.client else Per.ADDRESS

    def subject(self, per: str) -> str:
        """Whose allowance is used up under a limit for each `per`; "" when nobody's."""
        match per:
            case Per.USER:
                return self.user
            case Per.CLIENT:
                return self.client
            case Per.TENANT:
                return self.tenant
            case Per.OPERATION:
                return f"{self.backend}/{self.operation}"
            case Per.ADDRESS:
                return self.address or "unknown"
            case _:
                return "all"


class LimitTable:
    """The limits that staff set, over one default that everybody has."""

    def __init__(self, *, max_calls: int, window_ms: int) -> None:
        self._defaults = {
            per: Rule(name=DEFAULT, per=per, max_calls=max_calls, window_ms=window_ms)
            for per in (Per.USER.value, Per.CLIENT.value, Per.ADDRESS.value)
        }
        self.rules: tuple[Rule, ...] = ()
        self._chosen: dict[tuple[str, str, str, str, str], tuple[Rule, ...]] = {}
        self.has_tiers = False

    def read(self) -> None:
        """Read the limits anew; raises DatabaseError, and everything stays as it was."""
        self.use(
            Rule(
                name=f"{row['per']}-{row['id']}",
                per=row["per"],
                max_calls=row["max_calls"],
                window_ms=row["window_ms"],
                backend=row["backend__name"] or "",
                operation=row["operation__operation_id"] or "",
                client=row["client"],
                tier=row["agent_tier"],
            )
            for row in Limit.objects.order_by("id").values(
                "id",
                "per",
                "max_calls",
                "window_ms",
                "backend__name",
                "operation__operation_id",
                "client",
                "agent_tier",
            )
        )

    def use(self, rules: Iterable[Rule]) -> None:
        """Count by these rules from now on."""
        self.rules = tuple(rules)
        self.has_tiers = any(rule.tier for rule in self.rules)
        self._chosen = {}

    def wanted(self, facts: Facts) -> list[Wanted]:
        """The counters that a call of these `facts` goes through."""
        own = facts.own
        key = (facts.backend, facts.operation, facts.client if self.rules else "", facts.tier, own)
        chosen = self._chosen.get(key)
        if chosen is None:
            if len(self._chosen) >= CACHE_MAX:
                self._chosen = {}
            chosen = self._chosen[key] = self._choose(facts, own)
        return [
            Wanted(f"{rule.name}:{subject}", rule.name, rule.max_calls, rule.window_ms)
            for rule in chosen
            if (subject := facts.subject(rule.per))
        ]

    def stranger(self) -> Rule:
        """The limit for an address before anybody is known."""
        rules = [rule for rule in self.rules if rule.per == Per.ADDRESS and not rule.weight and not rule.tier]
        return rules[0] if rules else self._defaults[Per.ADDRESS.value]

    def _choose(self, facts: Facts, own: str) -> tuple[Rule, ...]:
        chosen = []
        for per in Per.values:
            fitting = [rule for rule in self.rules if rule.per == per and _fits(rule, facts)]
            plain = [rule for rule in fitting if not rule.tier]
            if per == own:
                plain.append(self._defaults[per])
            # Whatever an agent says of itself comes on top: a claim widens nothing
            chosen += [max(rules, key=_rank) for rules in (plain, [r for r in fitting if r.tier]) if rules]
        return tuple(chosen)


def _rank(rule: Rule) -> tuple[int, float]:
    return rule.weight, -rule.max_calls / rule.window_ms


def _fits(rule: Rule, facts: Facts) -> bool:
    return (
        (not rule.backend or rule.backend == facts.backend)
        and (not rule.operation or rule.operation == facts.operation)
        and (not rule.client or rule.client == facts.client)
        and (not rule.tier or rule.tier == facts.tier)
    )
