"""What a server shows to whom, in a catalogue of any size."""

from proxy.catalogue.plans import MCP_PATH, SEEN_MAX, FeaturePlan, ServerPlan, ToolPlan
from tests.proxy.catalogue.test_tools import tool
from tests.proxy.plans import operation_plan


def server(number: int) -> ServerPlan:
    plans = [
        ToolPlan(tool(name=f"tool-{each:05}"), operation_plan(scopes=("a:write",) if each % 2 else ("a:read",)), "")
        for each in range(number)
    ]
    theirs = FeaturePlan("tool", "tool-00000a", "a", {"name": "tool-00000a"}, operation_plan(scopes=()), "other")
    return ServerPlan(
        path=MCP_PATH,
        title="",
        instructions="",
        tools={plan.name: plan for plan in plans},
        resource="",
        resource_metadata="",
        scopes=(),
        features={"tool": {theirs.name: theirs}},
    )


def test_only_what_the_scopes_open_is_seen_in_the_order_of_names() -> None:
    plan = server(4)
    every = [each.name for each in plan.tools_for(frozenset({"a:read", "a:write"}))]
    assert every == ["tool-00000", "tool-00000a", "tool-00001", "tool-00002", "tool-00003"]
    assert [each.name for each in plan.tools_for(frozenset({"a:write"}))] == ["tool-00000a", "tool-00001", "tool-00003"]
    assert [each.name for each in plan.tools_for(frozenset())] == ["tool-00000a"]


def test_a_list_is_looked_up_the_second_time() -> None:
    plan = server(4)
    first = plan.tools_for(frozenset({"a:read"}))
    assert plan.tools_for(frozenset({"a:read"})) is first
    assert first[0].written is first[0].written
    # Ever new sets of scopes take no more memory than so many
    for number in range(3 * SEEN_MAX):
        assert len(plan.tools_for(frozenset({"a:read", f"{number}"}))) == 3
    assert plan.tools_for(frozenset({"a:read"})) == first
