"""The messages that one may come from: those that trace header or key rule out are left out."""

from collections.abc import Callable, Sequence


def narrowed(
    candidates: Sequence[str],
    *,
    trace_id: str | None,
    given_trace_id: str | None,
    key: str | None,
    trace_of: Callable[[str], str | None],
    key_of: Callable[[str], str | None],
) -> list[str]:
    """Of the messages that an invocation was given, those that a message which it sent may come from.

    The trace header decides where the sender has set it. AWS's SDKs set one by themselves, that of the invocation
    (``_X_AMZN_TRACE_ID``): it is on everything that the invocation sends, and tells nothing. Then the key decides,
    where both have the same one; a candidate whose key nobody knows stays.

    Args:
        candidates: ids of messages, in the order in which the invocation had them.
        trace_id: of the trace header of the message that was sent.
        given_trace_id: of the trace header that the invocation was given; None where it is not known.
        key: of its task.
        trace_of: the same of a candidate.
        key_of: the same of a candidate.

    Returns:
        at least one; all of them where nothing decides.
    """
    found = list(candidates)
    if len(found) > 1 and None not in {trace_id, given_trace_id} and trace_id != given_trace_id:
        found = [one for one in found if trace_of(one) == trace_id] or found
    if len(found) > 1 and key is not None:
        keys = {one: key_of(one) for one in found}
        if key in keys.values():
            found = [one for one in found if keys[one] in {key, None}]
    return found
