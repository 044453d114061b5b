"""Where a call stands in a trace: the caller's own, or a new one."""

import re

import pytest

from proxy.observation.trace import trace_of

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = f"00-{TRACE}-{PARENT}-01"


def test_a_callers_trace_is_kept_with_spans_of_our_own() -> None:
    trace = trace_of([(b"traceparent", SENT.encode())])
    assert (trace.trace_id, trace.parent_id, trace.flags, trace.is_sampled) == (TRACE, PARENT, "01", True)
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", trace.traceparent)
    assert len({trace.span_id, trace.sent_id, PARENT}) == 3
    assert trace.traceparent[36:52] == trace.sent_id


def test_nobody_is_made_to_keep_what_the_caller_does_not_keep() -> None:
    assert not trace_of([(b"traceparent", SENT[:-1].encode() + b"0")], samples=lambda _trace: True).is_sampled


@pytest.mark.parametrize(
    "sent",
    [
        [], ["evil"], [SENT.upper()], [SENT, SENT], [SENT.replace(TRACE, "0" * 32)], [SENT.replace(PARENT, "0" * 16)],
        ["01" + SENT[2:]], [SENT + "-extra"],
    ],
)  # fmt: skip
def test_without_a_readable_trace_a_new_one_begins(sent: list[str]) -> None:
    headers = [(b"traceparent", value.encode()) for value in sent]
    trace = trace_of(headers)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace.traceparent)
    assert (TRACE in trace.traceparent, trace.parent_id) == (False, "")
    assert trace_of(headers, samples=lambda _trace: True).flags == "01"
