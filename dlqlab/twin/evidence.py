"""A simulation as the tables of a run directory: the rows that a real run of the sampled tasks would have left."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dlqlab.contracts.outcomes import ACKNOWLEDGED, UNKNOWN
from dlqlab.contracts.tables import conform, frame
from dlqlab.contracts.topology import EntryKind
from dlqlab.load import tasks as generator
from dlqlab.specimens import task_system
from dlqlab.twin.contract import Simulation
from dlqlab.twin.engine import layout
from dlqlab.twin.samples import DIGITS, STAGE, consumers, invocations, queues
from dlqlab.twin.samples import calendar as _ts
from dlqlab.twin.samples import request_id as _request
from dlqlab.twin.texts import BREAKER_EVENTS, ERRORS, Texts, errors, reasons
from taskrules.tasks import NEVER_TEXT, OUTLIVED_TEXT, Status, lost_text

ARCHIVE_S = 14 * 86_400
CREATED_SHARE, ACCEPTED_SHARE = 0.7, 0.3
"""Where between sending, enqueueing and answer the API writes the item and its log line; nothing is judged by it."""
STATUSES = tuple(str(status) for status in Status)


@dataclass(frozen=True)
class Evidence:
    """The tables of one simulation."""

    simulation: Simulation
    texts: Texts
    run_id: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of a run directory; what a simulation does not have, as the host's load, is empty."""
        return {
            "ledger": self.ledger(),
            "events": self.events(),
            "invocations": invocations(self.simulation),
            "queues": queues(self.simulation),
            "metrics": frame("metrics", []),
            "tasks": self.tasks(),
            "host": frame("host", []),
        }

    @cached_property
    def _own(self) -> pd.DataFrame:
        """The sampled tasks: number, id, payload, and the client's times."""
        s = self.simulation
        chosen = s.sampled
        clients = s.clients[chosen]
        table = pd.DataFrame({name: clients[name] for name in ("sent", "enqueued", "done", "unanswered")})
        table["task"] = chosen
        table["task_id"] = [self.texts.task_id(int(task)) for task in chosen]
        table["payload"] = [self.texts.payload(int(task)) for task in chosen]
        reached = np.minimum(table["enqueued"], table["done"])
        table["created"] = table["sent"] + CREATED_SHARE * (reached - table["sent"])
        table["accepted"] = table["enqueued"] + ACCEPTED_SHARE * (table["done"] - table["enqueued"])
        return table.set_index("task", drop=False)

    def ledger(self) -> pd.DataFrame:
        own = self._own
        lost_answer = own["unanswered"].astype(bool)
        table = pd.DataFrame(
            {
                "task_id": own["task_id"],
                "request_id": "r-" + own["task_id"],
                "payload": own["payload"],
                "worker": "simulated",
                "sent_ts": _ts(own["sent"]),
                "done_ts": _ts(own["done"]),
                "outcome": np.where(lost_answer, UNKNOWN, ACKNOWLEDGED),
                "status_code": np.where(lost_answer, 502, 202),
                "latency_ms": (own["done"] - own["sent"]) * 1000,
                "error": pd.Series("HTTP 502: the API died", index=own.index).where(lost_answer),
            }
        )
        return conform("ledger", table.reset_index(drop=True))

    @cached_property
    def _log(self) -> pd.DataFrame:
        """The engine's log as a frame, with task ids; tasks of -1 are junk or the breaker's."""
        log = pd.DataFrame(self.simulation.log)
        log["task_id"] = log["task"].map(self._own["task_id"])
        return log

    def events(self) -> pd.DataFrame:
        parts = [self._accepted(), self._requeued(), self._from_log()]
        table = pd.concat([part for part in parts if len(part)], ignore_index=True)
        table = table.sort_values("ts", kind="stable", ignore_index=True)
        table["run_id"] = self.run_id
        table["stored_ts"] = table["ts"]
        table["line_id"] = [f"{number:012d}" for number in range(len(table))]
        return conform("events", table)

    def _accepted(self) -> pd.DataFrame:
        own = self._own[~self._own["unanswered"].astype(bool)]
        return pd.DataFrame(
            {
                "event": "task.accepted",
                "ts": _ts(own["accepted"]),
                "task_id": own["task_id"],
                "generation": 1,
                "message_id": own["task"].map(self._first_serial).map(_message, na_action="ignore"),
                "function": task_system(STAGE).api.name,
                "request_id": "a-" + own["task_id"],
                "cold_start": False,
                "log_stream": "simulated/api",
            }
        )

    @cached_property
    def _first_serial(self) -> "pd.Series[int]":
        own = self._log[self._log["task"] >= 0]
        return own.drop_duplicates("task").set_index("task")["serial"]

    def _requeued(self) -> pd.DataFrame:
        """By the sweeper after a crash of the API; and by a redrive."""
        own = self._own[self._own["unanswered"].astype(bool)]
        swept = pd.DataFrame({"ts": _ts(own["enqueued"]), "task_id": own["task_id"], "generation": 1})
        log = self._log[self._log["event"] == layout.Event.REQUEUED]
        redriven = pd.DataFrame({"ts": _ts(log["t"]), "task_id": log["task_id"], "generation": log["generation"]})
        table = pd.concat([swept.assign(reason="never enqueued"), redriven.assign(reason="redrive")])
        (sweeper,) = task_system(STAGE).entered_by(EntryKind.SCHEDULE)
        return table.assign(event="task.requeued", function=sweeper.name)

    def _from_log(self) -> pd.DataFrame:
        log = self._log[self._log["event"] != layout.Event.REQUEUED]
        is_task = log["task"] >= 0
        table = pd.DataFrame(
            {
                "event": log["event"].map(_EVENTS),
                "ts": _ts(log["t"]),
                "task_id": log["task_id"],
                "attempt": log["attempt"].where(is_task & (log["attempt"] > 0)).astype("Int64"),
                "generation": log["generation"].where(is_task).astype("Int64"),
                "receive_count": log["receives"].where(log["serial"] >= 0).astype("Int64"),
                "message_id": log["serial"].where(log["serial"] >= 0).map(_message, na_action="ignore"),
                "function": consumers()[log["function"]],
                "request_id": _request(log["invocation"]),
                "cold_start": log["is_cold"].astype(bool),
                "log_stream": "simulated/" + log["environment"].astype(str),
                "reason": pd.Series(reasons(log["reason"].to_numpy()), index=log.index).replace("", None),
            }
        )
        self._add_attempts(table, log)
        self._add_letters(table, log)
        for code, (_, reason) in BREAKER_EVENTS.items():
            table.loc[log["event"] == code, "reason"] = reason
        return table

    def _add_attempts(self, table: pd.DataFrame, log: pd.DataFrame) -> None:
        started = log["event"] == layout.Event.STARTED
        ended = log["event"].isin([layout.Event.SUCCEEDED, layout.Event.FAILED_ATTEMPT])
        failed = log["event"] == layout.Event.FAILED_ATTEMPT
        table["batch_size"] = log["batch"].where(started).astype("Int64")
        table["duration_s"] = (log["t"] - log["last"]).where(ended).round(DIGITS)
        table["permanent"] = log["error"].isin(_FINAL_ERRORS).where(failed).astype("boolean")
        table["backoff_s"] = log["value"].where(failed & (log["value"] >= 0)).astype("Int64")
        table["error_type"] = pd.Series(errors(log["error"].to_numpy()), index=log.index).where(failed)
        table["error_message"] = self._failures.reindex(log.index)

    @cached_property
    def _failures(self) -> "pd.Series[str]":
        """Error message of each failed attempt, by its place in the log."""
        failed = self._log[self._log["event"] == layout.Event.FAILED_ATTEMPT]
        rows = zip(failed["task"], failed["attempt"], failed["generation"], failed["last"], strict=True)
        found = [self.texts.failure(int(task), int(n), int(life), at) for task, n, life, at in rows]
        return pd.Series(found, index=failed.index, dtype="object")

    @cached_property
    def _last_errors(self) -> dict[tuple[int, int], str]:
        """(Task, generation) -> message of its last failed attempt."""
        failed = self._log.loc[self._failures.index]
        keys = zip(failed["task"].tolist(), failed["generation"].tolist(), strict=True)
        return dict(zip(keys, self._failures.tolist(), strict=True))

    def _error_text(self, row: Any) -> str:
        if row.task < 0:
            return self.texts.junk[self._junk_place(int(row.value))][1]
        match row.error:
            case layout.Error.ATTEMPT_LOST:
                return lost_text(row.attempt)
            case layout.Error.OUTLIVED:
                return OUTLIVED_TEXT
            case layout.Error.NEVER_ATTEMPTED:
                return NEVER_TEXT
        return self._last_errors.get((row.task, row.generation), NEVER_TEXT)

    def _junk_place(self, serial: int) -> int:
        return self._junk_serials.index(serial)

    @cached_property
    def _junk_serials(self) -> list[int]:
        """Serials of the junk messages in the order in which they were sent."""
        skipped = self._log[(self._log["task"] < 0) & (self._log["event"] == layout.Event.SKIPPED)]
        return sorted(skipped["serial"].tolist())

    @cached_property
    def _letters(self) -> pd.DataFrame:
        """The dead letters in the log, with their error in words."""
        letters = self._log[self._log["event"] == layout.Event.DEAD_LETTERED].copy()
        letters["text"] = [self._error_text(row) for row in _rows(letters)]
        letters["error_type"] = errors(letters["error"].to_numpy())
        letters["why"] = reasons(letters["reason"].to_numpy())
        return letters

    def _add_letters(self, table: pd.DataFrame, log: pd.DataFrame) -> None:
        letters = self._letters
        at, is_task = letters.index, letters["task"] >= 0
        table.loc[at, "error_type"] = letters["error_type"]
        table.loc[at, "error_message"] = letters["text"]
        table.loc[at, "archived"] = True
        table["attempts"] = log["attempt"].where((log["event"] == layout.Event.DEAD_LETTERED) & (log["task"] >= 0))
        table.loc[at, "first_ts"] = _ts(letters["task"].map(self._own["created"]))
        table.loc[at, "last_ts"] = _ts(letters["last"]).where(is_task)
        table.loc[at, "payload"] = [
            self.texts.shown(row.task) if row.task >= 0 else generator.to_json(self._junk_body(row))
            for row in _rows(letters)
        ]

    def _junk_body(self, row: Any) -> str:
        return self.texts.junk[self._junk_place(int(row.value))][0]

    def tasks(self) -> pd.DataFrame:
        own, records = self._own, self.simulation.tasks[self.simulation.sampled]
        status = np.array(STATUSES, dtype=object)[records["status"]]
        lives = zip(own["task"], records["generation"], records["error"], records["status"], strict=True)
        said = [self._last_error(int(task), int(life), int(code), int(end)) for task, life, code, end in lives]
        table = pd.DataFrame(
            {
                "task_id": own["task_id"],
                "status": status,
                "attempts": records["attempts"],
                "generation": records["generation"],
                "effects": records["effects"],
                "payload": own["payload"],
                "created_ts": _ts(own["created"]),
                "updated_ts": _ts(pd.Series(records["updated"], index=own.index).fillna(own["created"])),
                "last_error_type": [kind for kind, _ in said],
                "last_error_message": [text for _, text in said],
                "in_table": True,
                "archived": False,
            },
            index=own.index,
        )
        letters = self._letters
        self._archive(table, letters[letters["task"] >= 0].drop_duplicates("task", keep="last").set_index("task"))
        table = pd.concat([table, self._archived_junk(letters[letters["task"] < 0])], ignore_index=True)
        return conform("tasks", table)

    def _last_error(self, task: int, life: int, code: int, status: int) -> tuple[str | None, str | None]:
        if code == layout.Error.NEVER_ATTEMPTED and status != layout.Status.FAILED:
            return None, None
        letters = self._letters_of
        if status != layout.Status.COMPLETED and task in letters.index:
            return str(letters.loc[task, "error_type"]), str(letters.loc[task, "text"])
        return ERRORS[code], self._last_errors.get((task, life))

    @cached_property
    def _letters_of(self) -> pd.DataFrame:
        letters = self._letters
        return letters[letters["task"] >= 0].drop_duplicates("task", keep="last").set_index("task")

    def _archive(self, table: pd.DataFrame, letters: pd.DataFrame) -> None:
        at = letters.index
        table.loc[at, "archived"] = True
        table.loc[at, "archive_id"] = table["task_id"].loc[at] + "#" + letters["generation"].astype(str)
        table.loc[at, "archive_reason"] = letters["why"]
        table.loc[at, "archive_body"] = [self.texts.body(row.Index, row.generation, self.run_id)
                                         for row in _rows(letters)]  # fmt: skip
        table.loc[at, "archived_ts"] = _ts(letters["t"])
        table.loc[at, "archive_expires_ts"] = np.floor(_ts(letters["t"])) + ARCHIVE_S

    def _archived_junk(self, letters: pd.DataFrame) -> pd.DataFrame:
        table = pd.DataFrame({"archive_id": letters["value"].astype("int64").map(_message)})
        table["in_table"], table["archived"], table["archive_reason"] = False, True, letters["why"]
        table["archive_body"] = [self._junk_body(row) for row in _rows(letters)]
        table["archived_ts"] = _ts(letters["t"])
        table["archive_expires_ts"] = np.floor(table["archived_ts"]) + ARCHIVE_S
        return table


_FINAL_ERRORS = [
    layout.FIRST_ERROR + code for code, fault in enumerate(layout.FAULTS) if fault.is_reported and not fault.is_retried
]
_EVENTS = {
    layout.Event.STARTED: "attempt.started",
    layout.Event.SUCCEEDED: "attempt.succeeded",
    layout.Event.FAILED_ATTEMPT: "attempt.failed",
    layout.Event.SKIPPED: "attempt.skipped",
    layout.Event.DEAD_LETTERED: "task.dead_lettered",
    **{code: name for code, (name, _) in BREAKER_EVENTS.items()},
}


def _message(serial: float) -> str:
    return f"m-{int(serial):08d}"


def _rows(table: pd.DataFrame) -> Any:
    return table.itertuples()
