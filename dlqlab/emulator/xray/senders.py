"""Which invocation a segment is of. Pure."""

from collections.abc import Sequence

from dlqlab.emulator.xray.sent import Sent
from dlqlab.traces.model import Span


def sender(sent: Sent, ran: Sequence[Span]) -> str | None:
    """The span of the invocation that sent a document.

    What came by UDP names nobody: a subsegment is of the only invocation that ran when it began.

    Args:
        ran: the invocations of its trace.
    """
    if sent.request_id is not None:
        found = [span for span in ran if span.attributes["faas.invocation_id"] == sent.request_id]
        return found[-1].at.span_id if found else None
    if sent.document.get("type") != "subsegment":
        return None
    ts = float(sent.document["start_time"])
    found = [span for span in ran if span.start_ts <= ts and (ts <= span.end_ts or not span.is_ended)]
    return found[0].at.span_id if len(found) == 1 else None
