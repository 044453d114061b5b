"""What growth costs: a small gateway and large ones in one run, called alike, with the same number of tokens."""

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Gateway, backend, gateway, processor_s, service_token
from bench.wrk import load
from tests.journeys.server import ROOT, environment

# Operations and live tokens of each gateway; the first one is what the others are compared with
SIZES = {"small": (10, 100), "operations": (5_000, 100), "tokens": (10, 100_000)}
WORDS = {"operations": "5,000 operations / 10", "tokens": "100,000 live tokens / 100"}
TARGET = 1.15
# Of the live tokens so many are in use, in each
IN_USE = 100
CONNECTIONS = 16
SECONDS = 2
ROUNDS = 4
PATH = "/group7/1234/kind7"
# wrk's own language: another token for each request
_ROTATE = """
local headers, index = {{}}, 0
for token in io.lines("{file}") do
    headers[#headers + 1] = {{ Authorization = "Bearer " .. token }}
    if #headers == {in_use} then break end
end
request = function()
    index = index % #headers + 1
    return wrk.format("GET", nil, headers[index])
end
"""


@dataclass(frozen=True, slots=True)
class Grown:
    """A gateway and the script that calls it with its tokens."""

    served: Gateway
    script: Path


def compare(folder: Path, *, core: int, other_core: int) -> None:
    """Measure and print what a call costs a large gateway, as a multiple of what it costs a small one."""
    with backend(folder, core=other_core) as upstream, contextlib.ExitStack() as stack:
        grown = {}
        for name, (operations, tokens) in SIZES.items():
            (folder / name).mkdir()
            served = stack.enter_context(gateway(folder / name, upstream, core=core))
            grown[name] = _grow(served, folder / name, operations=operations, tokens=tokens)
        costs = {name: _cost_us(each, other_core) for name, each in grown.items()}
        for _round in range(ROUNDS - 1):
            # The least of the rounds, which alternate: what others did to a round is not the gateway's
            costs = {name: min(costs[name], _cost_us(each, other_core)) for name, each in grown.items()}
    print()
    for name, words in WORDS.items():
        print(f"{words:<28} {costs[name] / costs['small']:.2f}   (target {TARGET})")


def _grow(served: Gateway, folder: Path, *, operations: int, tokens: int) -> Grown:
    file, script = folder / "tokens", folder / "rotate.lua"
    wanted = {"operations": operations, "tokens": tokens, "like": service_token(served), "file": str(file)}
    subprocess.run(
        [sys.executable, "-m", "bench.grow"],
        cwd=ROOT,
        env=environment(
            **served.variables,
            PUBLIC_BASE_URL=served.issuer,
            DEBUG="1",
            DJANGO_SETTINGS_MODULE="gateway_project.settings",
        ),
        input=json.dumps(wanted),
        text=True,
        check=True,
    )
    script.write_text(_ROTATE.format(file=file, in_use=IN_USE))
    return Grown(served, script)


def _cost_us(grown: Grown, core: int) -> float:
    """Processor time of one call, in microseconds, whatever else the machine does."""
    before = processor_s(grown.served.group)
    url = f"{grown.served.issuer}/api/v1/echo{PATH}"
    found = load(url, connections=CONNECTIONS, seconds=SECONDS, core=core, script=grown.script)
    return (processor_s(grown.served.group) - before) / found.calls * 1_000_000
