"""What a run of somebody's own pipeline leaves behind: its alarms, states of tasks, tables, buckets and queues."""

import dataclasses
import time
from collections.abc import Collection, Mapping

from dlqlab.collect.alarms import collect_alarms
from dlqlab.collect.end_state import collect_end_state
from dlqlab.collect.states import Look, in_table, over_http, settled
from dlqlab.contracts.alarms import write_alarms
from dlqlab.contracts.end_state import write_end_state
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.outcomes import TAKEN
from dlqlab.contracts.project import Project
from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.states import States, write_states
from dlqlab.deploy.target import Target
from dlqlab.errors import UsageError
from dlqlab.load.messages import EntrySettings
from dlqlab.load.senders import sender_of
from dlqlab.progress import Phases
from dlqlab.run.own_entries import host_of
from dlqlab.wording import count


def read_left_behind(
    run: RunDir,
    target: Target,
    manifest: Manifest,
    project: Project,
    url: str,
    phases: Phases,
    *,
    reads_end: bool,
    others_alarms: Collection[str],
    ended_before: frozenset[str] = frozenset(),
) -> None:
    """Write into the run directory what can be read at its end.

    Args:
        url: of the API that the load went to, for a probe over HTTP.
        reads_end: also what is left in tables, buckets and queues.
        others_alarms: names of the alarms that are not the project's.
        ended_before: tasks that had ended before the load.

    Raises:
        EvidenceError: CloudWatch does not answer.
        UsageError: a table of the project file is not there.
    """
    if project.done.kind in {"table", "http"}:
        with phases.phase("done", "states of the tasks") as phase:
            states = _states(run, target, project, url)
            known = tuple(sorted(ended_before & states.states.keys()))
            write_states(run, dataclasses.replace(states, ended_before=known))
            phase.note = states.unread or f"{count(len(states.states), 'task')} with a state"
            phase.failed = bool(states.unread)
    since_ts = manifest.load_started_ts or 0.0
    write_alarms(run, collect_alarms(target.client("cloudwatch"), since_ts, time.time(), without=others_alarms))
    if reads_end:
        with phases.phase("end", "tables, buckets and queues") as phase:
            end = collect_end_state(
                target.client,
                target.topology,
                read_recording(run),
                chosen=project.effects.compare,
                since_ts=since_ts,
            )
            write_end_state(run, end)
            places = count(len(end.places), "table, bucket or queue", "tables, buckets and queues")
            phase.note = f"{count(sum(map(len, end.places.values())), 'item')} left in {places}"
            phase.failed = bool(end.unread)


def check_done(target: Target, project: Project) -> None:
    """Look before the load whether there is what says that a task is done.

    Raises:
        UsageError: a table or queue of the project file is not there; names those that are.
    """
    part, names = project.done.queue, list(target.topology.queue_names.values())
    if project.done.kind == "table":
        in_table(target.client("dynamodb"), project.done)
    elif part and part not in names and sum(part in name for name in names) != 1:
        raise UsageError(f"done.queue is {part!r}: no queue, or several, are called so; there are {', '.join(names)}")


def ended_before(target: Target, project: Project, url: str, entry: EntrySettings) -> frozenset[str]:
    """The tasks of the load that have ended already: of an earlier run with the same keys.

    Raises:
        EvidenceError: their states cannot be read.
        UsageError: a table of the project file is not there.
    """
    if project.done.kind not in {"table", "http"}:
        return frozenset()
    sender = sender_of(entry, seed=project.seed, payload_bytes=0, scripted_rate=0.0, headers={})
    keys = [sender.compose(n).task_id for n in range(project.load.tasks)]
    states = _look(target, project, url)(keys)
    return frozenset(key for key, state in states.items() if state in project.done.values)


def _states(run: RunDir, target: Target, project: Project, url: str) -> States:
    if not run.has("ledger"):
        return States(unread="which tasks were accepted is not known: no ledger was kept")
    ledger = run.read("ledger")
    accepted = sorted(set(ledger.loc[ledger["outcome"].isin(TAKEN), "task_id"].dropna()))
    return settled(_look(target, project, url), accepted, project.done, project.drain.deadline_s)


def _look(target: Target, project: Project, url: str) -> Look:
    if project.done.kind == "table":
        return in_table(target.client("dynamodb"), project.done)
    headers: Mapping[str, str] = {name: text for name, text in project.entry.headers.items() if "{{" not in text}
    base = url if project.entry.kind == "http" else host_of(project, target)
    return over_http(base, headers, project.done)
