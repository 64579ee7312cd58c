"""The tasks of a run that are worth a look, each with its life and why its messages are where they are."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from dlqlab.analysis.chosen_tasks import Choice, Chosen, Seen, choose, seen_in_events, seen_in_recording
from dlqlab.analysis.indexed_rows import IndexedRows
from dlqlab.analysis.keys import find
from dlqlab.analysis.lives import Life, lives
from dlqlab.analysis.reasons import Logged, Reason, reason, work_stays
from dlqlab.analysis.task_rows import TaskRow, task_row
from dlqlab.analysis.told_lives import told_life
from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import frame
from dlqlab.contracts.topology import Topology
from dlqlab.contracts.verdict import Verdict
from dlqlab.errors import EvidenceError
from dlqlab.report.life.logged import logged, logging_attempts, ran
from dlqlab.run.stored_lives import Logged as StoredLine
from dlqlab.run.stored_lives import ledger_of, run_limits, run_lines
from dlqlab.wording import count

NO_RECORDING = (
    "There is no recording of this run: lives are told by the app's own events, without requests, calls, waits and "
    "receives that no function tried."
)
NOTHING_KNOWN = (
    "Nothing is known of single tasks: the run has no recording, and the app under test writes no events that tell of "
    "its tasks."
)
_EVENT_COLUMNS = (
    "event", "ts", "task_id", "message_id", "request_id", "receive_count", "function", "log_stream", "duration_s",
    "error_type", "error_message", "backoff_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """One task with what is shown of it."""

    row: TaskRow
    life: Life
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Tasks:
    """The chosen tasks of a run; ``notes`` say in sentences what is not among them and what is not known.

    ``logged`` are the log lines of all their attempts, by request id.
    """

    tasks: tuple[Task, ...]
    notes: tuple[str, ...]
    logged: Logged


def gather(run: RunDir, verdict: Verdict) -> Tasks:
    """What there is to show of single tasks; a file that cannot be read is told in the notes."""
    broken: list[str] = []
    recording = _readable(lambda: read_recording(run), None, broken)
    events = _readable(lambda: _events(run), _no_events(), broken)
    topology = _readable(run.read_topology, None, broken)
    nobody: Mapping[str, Sequence[str]] = {}
    ledger = _readable(lambda: ledger_of(run), nobody, broken)
    choice = choose(_seen(recording, events, topology), verdict)
    keyed = {chosen.key: chosen for chosen in choice.tasks}
    found = _recorded(recording, choice, ledger) if recording is not None else {}
    told = _told(events, [key for key in keyed if key not in found], ledger, topology)
    every = {key: life for key in keyed if (life := found.get(key) or told.get(key)) is not None}
    merged = _merged([keyed[key] for key in every], every)
    unknown = [key for key in keyed if key not in every]
    attempts = [each for life in every.values() for _, each in logging_attempts(life)]
    nothing: Mapping[str, Sequence[StoredLine]] = {}
    lines = logged(attempts, _readable(lambda: run_lines(run, ran(attempts)), nothing, broken))
    unknown_limits: Mapping[str, int] = {}
    limits = _readable(lambda: run_limits(run), unknown_limits, broken)
    tasks = tuple(_task(chosen, every[chosen.key], lines, limits) for chosen in merged)
    notes = [*_notes(run, choice, recording, tasks, unknown), *dict.fromkeys(broken)]
    return Tasks(tasks, tuple(notes), lines)


def _readable[T](read: Callable[[], T], otherwise: T, broken: list[str]) -> T:
    """What is read. Where it cannot be, that is noted: the report, which holds the verdict, is made all the same."""
    try:
        return read()
    except EvidenceError as error:
        broken.append(f"{error}.")
        return otherwise


def _task(chosen: Chosen, life: Life, lines: Logged, limits: Mapping[str, int]) -> Task:
    reasons = tuple(reason(life, stay, lines, limits.get(stay.queue)) for stay in work_stays(life))
    return Task(task_row(chosen.key, chosen.reasons, life, reasons), life, reasons)


def _seen(recording: Recording | None, events: pd.DataFrame, topology: Topology | None) -> Seen:
    told = seen_in_events(events)
    if recording is None:
        return told
    named = events[events["task_id"].notna() & events["message_id"].notna()]
    task_of = dict(zip(named["message_id"].tolist(), named["task_id"].tolist(), strict=True))
    queues = None if topology is None else {queue.name for queue in topology.queues}
    seen = seen_in_recording(recording, task_of, queues)
    return replace(seen, letters=tuple(dict.fromkeys([*seen.letters, *told.letters])))


def _recorded(recording: Recording, choice: Choice, ledger: Mapping[str, Sequence[str]]) -> dict[str, Life]:
    """The recorded life of each key that the recorder knows."""
    keys = [chosen.key for chosen in choice.tasks]
    rows = IndexedRows(recording, keys)
    rows.fetch_named({request_id for key in keys for request_id in ledger.get(key, ())})
    found = [find(rows, key, ledger) for key in keys]
    rows.fetch_ahead({message_id for each in found for message_id in each.message_ids})
    result = {}
    for each in found:
        several = lives(rows, each) if each.how else []
        own = [life for life in several if any(stay.message_id == each.key for stay in life.stays)] or several
        if own:
            result[each.key] = own[0]
    return result


def _told(
    events: pd.DataFrame, keys: Sequence[str], ledger: Collection[str], topology: Topology | None
) -> dict[str, Life]:
    """The life of each key of which the app told something, or which a client sent."""
    rows = events[events["task_id"].isin(keys)]
    queue = topology.works[0].queue.name if topology is not None and topology.works else "its queue"
    clean = rows.astype(object).where(rows.notna(), None)
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in keys if key in ledger}
    for values in clean.itertuples(index=False, name=None):
        event = dict(zip(_EVENT_COLUMNS, values, strict=True))
        found.setdefault(event["task_id"], []).append(event)
    return {key: told_life(key, own, queue) for key, own in found.items()}


def _merged(chosen: Sequence[Chosen], lives_of: Mapping[str, Life]) -> list[Chosen]:
    """Each life once, under the first of its keys: several dead letters may be messages of one task."""
    first: dict[str, Chosen] = {}
    owner: dict[str, str] = {}
    for each in chosen:
        ids = {stay.message_id for stay in lives_of[each.key].stays}
        key = next((owner[one] for one in ids if one in owner), each.key)
        if key != each.key and each.key not in ids:
            key = each.key  # two tasks that share a message are two all the same
        before = first.get(key)
        reasons = each.reasons if before is None else tuple(dict.fromkeys([*before.reasons, *each.reasons]))
        first[key] = Chosen(key, reasons)
        owner |= dict.fromkeys(ids, key)
    return list(first.values())


def _events(run: RunDir) -> pd.DataFrame:
    """The app's events that tell of tasks; none where it tells nothing."""
    return run.read("events")[list(_EVENT_COLUMNS)] if run.has("events") else _no_events()


def _no_events() -> pd.DataFrame:
    return frame("events", [])[list(_EVENT_COLUMNS)]


def _notes(
    run: RunDir, choice: Choice, recording: Recording | None, tasks: Sequence[Task], unknown: Sequence[Any]
) -> Iterator[str]:
    if recording is None:
        yield NO_RECORDING if tasks else NOTHING_KNOWN
    else:
        yield from recording.gaps
    if choice.left_out:
        yield f"Not shown: {'; '.join(choice.left_out)}. Each can be seen by dlqlab trace KEY --run {run.path.name}."
    if unknown:
        yield f"Checks name {count(len(unknown), 'thing')} of which no life is known: verdict.json has them."
