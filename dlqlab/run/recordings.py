"""What the emulator recorded during a run, into its run directory. Trouble with it is said, and breaks nothing."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlqlab.collect.collect import MARGIN_S
from dlqlab.collect.logs import Window
from dlqlab.collect.metrics import PERIOD_S
from dlqlab.contracts.recorded import BEHIND_MAX_S, FOLDER, RECORDER, STATUS_PATH
from dlqlab.contracts.recorded_run import NOT_MEASURED, new_recording, write_gaps, write_table
from dlqlab.contracts.recording import TABLES
from dlqlab.contracts.rundir import RunDir
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.recorder.reader import Between, Reader
from dlqlab.errors import EvidenceError
from dlqlab.run.emulator_requests import request

FLUSH_DEADLINE_S = 30.0
NOBODY = "what happened to each message: the endpoint is no emulator that dlqlab started on this machine"
SWITCHED_OFF = "what happened to each message: the emulator was started without its flight recorder"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Rows in the run directory by table of the recorder, None where there is none; then ``not_measured`` says why."""

    rows: Mapping[str, int] | None = None
    not_measured: Mapping[str, str] = field(default_factory=dict)


NO_RECORD = Recorded()


def collect_recording(run: RunDir, emulator: Emulator | None, window: Window, task_key: str | None = None) -> Recorded:
    """What the emulator recorded from before the load until after the drain.

    Args:
        task_key: where bodies have the key of their task (``Topology.task_key``).
    """
    if emulator is None:
        return _nothing(NOBODY)
    if RECORDER not in emulator.patches:
        return _nothing(SWITCHED_OFF)
    try:
        return Recorded(rows=_collected(run, emulator, window, task_key))
    except Exception as error:  # noqa: BLE001  (a witness: whatever it is about the record, the run has its evidence)
        return not_collected(error)


def not_collected(error: Exception) -> Recorded:
    """There is a record, and it could not be had."""
    return _nothing(f"what happened to each message: the record could not be collected: {_reason(error)}")


def recorded_window(window: Window) -> Between:
    """From the beginning of the minute in which the load began, so that CloudWatch counted the same, until after the
    drain; with a margin.
    """
    minute_ts = window.start_ts // PERIOD_S * PERIOD_S
    return Between(min(minute_ts, window.start_ts - MARGIN_S), window.end_ts + MARGIN_S)


def _nothing(reason: str) -> Recorded:
    return Recorded(not_measured={NOT_MEASURED: reason})


def _collected(run: RunDir, emulator: Emulator, window: Window, task_key: str | None) -> Mapping[str, int]:
    gaps = _flush(emulator)
    if emulator.created_ts > window.start_ts:
        gaps.append("the emulator was started after the load had begun: what was before is not recorded")
    with (
        new_recording(run) as folder,
        Reader(Path(emulator.state) / FOLDER, folder, window=recorded_window(window), task_key=task_key) as reader,
    ):
        rows = {table: write_table(folder, table, reader.parts(table)) for table in TABLES}
        gaps += [gap for gap in reader.said.gaps() if gap not in gaps]
        write_gaps(folder, gaps, is_ended=reader.said.is_ended)
    return rows


def _flush(emulator: Emulator) -> list[str]:
    """Have everything written that has happened; what may be missing although it was asked for."""
    try:
        state = recorder_state(emulator.port)
    except (OSError, http.client.HTTPException, ValueError, EvidenceError) as error:
        return [f"the recorder did not answer ({_reason(error)}): the last {BEHIND_MAX_S:g} s may be missing"]
    return [] if state.get("flushed") is True else ["the disk did not take what was recorded last"]


def recorder_state(port: int) -> dict[str, Any]:
    """What the recorder says of itself (``recording.STATUS_PATH``), once all that has happened is written out.

    Raises:
        OSError, http.client.HTTPException: nobody answers.
        EvidenceError, ValueError: the answer makes no sense.
    """
    status, text = request(port, STATUS_PATH, deadline_s=FLUSH_DEADLINE_S)
    if status != http.HTTPStatus.OK:
        raise EvidenceError(f"HTTP status {status}")
    state = json.loads(text)
    if not isinstance(state, dict):
        raise EvidenceError(f"it answered with a {type(state).__name__}")
    return state


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
