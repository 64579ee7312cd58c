"""What the draws of faults from outside go by: the key of a message's task, as the emulator finds it in the body."""

from collections.abc import Iterable

from dlqlab.analysis.flow import Flow
from dlqlab.analysis.recorded_rows import Row, Rows
from dlqlab.contracts.injection import given_key


def keys_of(flow: Flow, struck: Iterable[Row] = (), *, by_path: bool = False) -> dict[str, str]:
    """What draws go by, by message id: the task's key in its body, else the message's id.

    Args:
        flow: the messages.
        struck: strikes, which tell the key of what they struck.
        by_path: the key is what the pipeline declares, which the record has of each message.
    """
    found = {row["message_id"]: row["task_key"] for row in struck if row["message_id"]}
    rows = Rows(flow.recording)
    sent = rows.sent({stay.message_id for stay in flow.stays})
    if by_path:
        return {row["message_id"]: row["task_key"] for row in sent if row["task_key"]} | found
    cut = {row["body_sha256"] for row in flow.recording.bodies.to_pylist() if row["is_cut"] or row["is_redacted"]}
    unsure = {row["message_id"] for row in sent if row["body_sha256"] in cut}
    for message_id, body in rows.bodies_of(sent).items():
        key = given_key(body) or (None if message_id in unsure else message_id)
        if key is not None:
            found.setdefault(message_id, key)
    return found
