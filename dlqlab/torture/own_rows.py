"""Of a recording, what belongs to one load: an emulator that stays warm has the messages of the load before too."""

from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.recording import Recording


def since(recording: Recording, began_ts: float) -> Recording:
    """The recording without messages that entered before a time, and without what came of them.

    Args:
        recording: of the emulator, from before the load.
        began_ts: when the load began, in seconds since the epoch.
    """
    sent = [row for row in recording.messages.to_pylist() if row["kind"] == Kind.SENT]
    own: set[str] = set()
    for row in sent:
        parents = {one for one in row["parent_ids"] or () if one != row["message_id"]}
        is_moved = row["message_id"] in (row["parent_ids"] or ())
        if row["ts"] >= began_ts and not is_moved and (not parents or parents & own):
            own.add(row["message_id"])
    return replace(
        recording,
        messages=_among(recording.messages, "message_id", own),
        invocations=_invocations(recording.invocations, own, began_ts),
        calls=_from(recording.calls, "ts", began_ts),
        faults=_from(recording.faults, "ts", began_ts),
    )


def _invocations(table: pa.Table, own: set[str], began_ts: float) -> pa.Table:
    """Those with a message of the load; those with none that began since."""
    rows = zip(table["message_ids"].to_pylist(), table["started_ts"].to_pylist(), strict=True)
    kept = [bool(own & set(given)) if given else ts >= began_ts for given, ts in rows]
    return table.filter(pa.array(kept, pa.bool_()))


def _among(table: pa.Table, column: str, names: Iterable[str]) -> pa.Table:
    return table.filter(pc.is_in(table[column], pa.array(sorted(names), pa.string())))


def _from(table: pa.Table, column: str, began_ts: float) -> pa.Table:
    return table.filter(pc.greater_equal(table[column], began_ts))
