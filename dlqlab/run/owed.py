"""What an emulator still owes a pipeline when its queues are empty: asked for while a run waits for the end."""

import http.client
import json
from collections.abc import Iterable, Sequence

from dlqlab.contracts.owed import OWED_PATH, Owed, OwedKind
from dlqlab.contracts.plain import ShapeError, from_plain
from dlqlab.contracts.topology import Topology
from dlqlab.errors import EmulatorError
from dlqlab.run.emulator_requests import request
from dlqlab.wording import count

_SAID_MAX = 3


def owed_by(port: int) -> list[Owed]:
    """All that the emulator of this port is still going to do; nothing where its patch is off.

    Raises:
        EmulatorError: it does not answer, or not as expected.
    """
    try:
        status, text = request(port, OWED_PATH)
        return [] if status == http.HTTPStatus.NOT_FOUND else [from_plain(Owed, one) for one in json.loads(text)]
    except (OSError, http.client.HTTPException, ValueError, ShapeError) as error:
        raise EmulatorError(f"the emulator does not say what it still owes: {error}") from error


def to_wait_for(found: Iterable[Owed], topology: Topology, until_ts: float) -> list[Owed]:
    """What of it is the pipeline's and comes by ``until_ts``; what leads nobody knows where is waited for too."""
    names = {one.name for one in topology.functions} | set(topology.queue_names.values())
    return [
        one
        for one in found
        if (one.leads_to is None or one.leads_to in names) and (one.due_ts is None or one.due_ts <= until_ts)
    ]


def not_waited_for(found: Iterable[Owed], topology: Topology, until_ts: float) -> list[Owed]:
    """The one-time schedules of the pipeline that come too late."""
    own = to_wait_for(found, topology, float("inf"))
    return [one for one in own if one.kind is OwedKind.SCHEDULE and (one.due_ts or 0.0) > until_ts]


def said(owed: Sequence[Owed]) -> str:
    """``3 asynchronous invocations of bill, 1 one-time schedule remind-17``."""
    parts = [
        f"{count(one.n, str(one.kind))} {'' if one.kind is OwedKind.SCHEDULE else 'of '}{one.of}"
        for one in owed[:_SAID_MAX]
    ]
    others = len(owed) - _SAID_MAX
    return ", ".join([*parts, *([f"and {others} more"] if others > 0 else [])])
