"""Defects planted in a simulated run: each changes the evidence as that failure of a pipeline would."""

from dataclasses import replace
from typing import Any

import pandas as pd

from tests.support.histories import Simulated
from tests.support.simulation import MONITOR


def ids(run: Simulated, status: str) -> list[str]:
    """Task ids of that status, in order."""
    tasks = run.tables["tasks"]
    return sorted(tasks.loc[(tasks["status"] == status).fillna(value=False), "task_id"])


def lose(run: Simulated, task: str) -> Simulated:
    """The task was accepted and its message vanished before any attempt."""
    events = run.tables["events"]
    gone = (events["task_id"] == task) & (events["event"] != "task.accepted")
    kept = _drop(run, "events", gone)
    return _item(kept, task, status="QUEUED", attempts=0, effects=0)


def repeat_effect(run: Simulated, task: str) -> Simulated:
    """The effect happened twice and the table counted it."""
    return _item(run, task, effects=2)


def bury_completed(run: Simulated, task: str) -> Simulated:
    """A completed task was dead-lettered as well."""
    events = run.tables["events"]
    payload = run.tables["tasks"].set_index("task_id")["payload"][task]
    letter = events[events["event"] == "task.dead_lettered"].iloc[[0]]
    letter = letter.assign(task_id=task, line_id="planted", payload=payload)
    return _table(run, "events", pd.concat([events, letter], ignore_index=True))


def revive(run: Simulated, task: str) -> Simulated:
    """A completed task was closed as failed: its terminal state changed."""
    return _item(run, task, status="FAILED")


def log_other_payload(run: Simulated, task: str) -> Simulated:
    """The dead-letter line tells of another payload than the client sent."""
    events = run.tables["events"].copy()
    line = (events["task_id"] == task) & (events["event"] == "task.dead_lettered")
    events.loc[line.fillna(value=False), "payload"] = '{"n":-1}'
    return _table(run, "events", events)


def store_other_payload(run: Simulated, task: str) -> Simulated:
    """The task's item holds another payload than the client sent."""
    return _item(run, task, payload='{"n":-1}')


def archive_other_payload(run: Simulated, task: str) -> Simulated:
    """The archived message holds another payload than the client sent."""
    return _item(run, task, archive_body=f'{{"taskId":"{task}","payload":{{"n":-1}}}}')


def leave_in_queue(run: Simulated, _task: str) -> Simulated:
    """The run says that it drained; the last sample of the task queue shows a message."""
    queues = run.tables["queues"].copy()
    last = queues.index[(queues["queue"] == "tasks").fillna(value=False)][-1]
    queues.loc[last, "visible"] = 1
    return _table(run, "queues", queues)


def forget_request(run: Simulated, task: str) -> Simulated:
    """No client ever sent the task."""
    return _drop(run, "ledger", run.tables["ledger"]["task_id"] == task)


def deny(run: Simulated, task: str) -> Simulated:
    """The client was told that the task is not taken."""
    ledger = run.tables["ledger"].copy()
    ledger.loc[(ledger["task_id"] == task).fillna(value=False), "outcome"] = "refused"
    return _table(run, "ledger", ledger)


def start_early(run: Simulated, task: str, *, by_s: float) -> Simulated:
    """The second attempt of the task started before its backoff was over."""
    events = run.tables["events"].copy()
    second = (events["task_id"] == task) & (events["attempt"] == 2) & (events["event"] == "attempt.started")
    first = (events["task_id"] == task) & (events["attempt"] == 1) & (events["event"] == "attempt.failed")
    due_ts = float((events.loc[first, "ts"] + events.loc[first, "backoff_s"]).iloc[0])
    events.loc[second.fillna(value=False), "ts"] = due_ts - by_s
    return _table(run, "events", events)


def drop_error_message(run: Simulated, task: str) -> Simulated:
    """The monitor's line about the task lacks the error message."""
    events = run.tables["events"].copy()
    line = (events["task_id"] == task) & (events["function"] == MONITOR)
    events.loc[line.fillna(value=False), "error_message"] = None
    return _table(run, "events", events)


def leave_in_flight(run: Simulated, task: str) -> Simulated:
    """The run ended while the task waited for its second attempt, and the queue still holds its message."""
    events = run.tables["events"]
    later = (events["task_id"] == task) & ((events["attempt"] > 1) | (events["event"] == "task.dead_lettered"))
    kept = _drop(run, "events", later)
    queues = kept.tables["queues"].copy()
    queues.loc[queues["queue"] == "tasks", "in_flight"] += 1
    kept = _table(kept, "queues", queues)
    kept = _item(kept, task, status="RETRYING", attempts=1, archived=False)
    return replace(kept, manifest=kept.manifest | {"drained": False})


def _drop(run: Simulated, table: str, rows: "pd.Series[Any]") -> Simulated:
    return _table(run, table, run.tables[table][~rows.fillna(value=False).astype(bool)].reset_index(drop=True))


def _item(run: Simulated, task: str, **fields: Any) -> Simulated:
    tasks = run.tables["tasks"].copy()
    tasks.loc[(tasks["task_id"] == task).fillna(value=False), list(fields)] = list(fields.values())
    return _table(run, "tasks", tasks)


def _table(run: Simulated, name: str, table: pd.DataFrame) -> Simulated:
    return replace(run, tables=run.tables | {name: table})
