"""The evidence made ready for the checks: each derived table is computed once, when a check first needs it.

A check that needs a table that could not be read fails with EvidenceError; checks that do not need it are untouched.
"""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from dlqlab.analysis.attempts import attempts_table, distinct_events, retries_table
from dlqlab.analysis.events import Event, Events
from dlqlab.analysis.flow import Flow
from dlqlab.analysis.frames import among, names, sure
from dlqlab.analysis.oracle import Clock, Expectation, expectation, predicted_attempts, scripted, text_messages
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.outcomes import TAKEN
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.topology import Topology
from dlqlab.errors import EvidenceError
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy

EARLIER_MARGIN_S = 1.0
"""What was written longer than this before the first request is of an earlier run or of the deployer's probes."""
EMPTY_FOR_S = 5.0
"""All queues at zero for this long in their last samples: no message is left anywhere. SQS's own counts are
approximate, so one sample says nothing."""


@dataclass(frozen=True)
class Facts:
    """One run as the checks see it."""

    run: RunEvidence

    @property
    def manifest(self) -> Manifest:
        return self.run.manifest

    @property
    def topology(self) -> Topology:
        """What the pipeline consists of.

        Raises:
            EvidenceError: the run does not say.
        """
        if self.run.topology is None:
            raise EvidenceError("topology.json is not there: which queues and functions there were is not known")
        return self.run.topology

    @property
    def tells_of_tasks(self) -> bool:
        """Whether the pipeline logs the events of its tasks; a run that does not say what it is of is taken for one."""
        return self.run.topology is None or self.run.topology.evidence.events

    @property
    def was_played_again(self) -> bool:
        """Whether the run is one of several plays of the same tasks, which are held against each other."""
        return bool(self.run.references) or "end" in self.run.unreadable

    @property
    def has_alarms(self) -> bool:
        """Whether there are alarms to be judged, or there may be and they cannot be read."""
        return bool(self.run.alarms and self.run.alarms.alarms) or "alarms" in self.run.unreadable

    @property
    def has_asynchronous_calls(self) -> bool:
        """Whether functions of the pipeline were invoked by somebody who does not wait for the answer."""
        return self.run.recording is not None and bool(self.asynchronous)

    @property
    def is_broken_from_outside(self) -> bool:
        """Whether faults from outside were planned, or struck."""
        return self.manifest.injection is not None or (self.run.recording is not None and self.strikes_since_load > 0)

    @cached_property
    def strikes_since_load(self) -> int:
        """How often faults from outside struck since the load began.

        Raises:
            EvidenceError: as ``flow``.
        """
        return len(self.flow.strikes_since(self.flow.since_ts))

    @property
    def scenario(self) -> Scenario:
        return self.run.manifest.scenario

    @cached_property
    def plan(self) -> FaultPlan:
        return self.scenario.faults

    @cached_property
    def policy(self) -> RetryPolicy:
        return self.scenario.retry

    @cached_property
    def expectation(self) -> Expectation:
        return expectation(self.plan, self.policy)

    @cached_property
    def flow(self) -> Flow:
        """What became of every message, from the record.

        Raises:
            EvidenceError: nothing was recorded, or the record cannot be read.
        """
        if self.run.recording is None:
            reason = self.run.unreadable.get("recording") or self.manifest.not_measured.get(
                "recording", "nothing was recorded"
            )
            raise EvidenceError(f"the record of the messages is not there: {reason}")
        since_ts = self.manifest.load_started_ts or 0.0
        return Flow(self.run.recording, self.run.topology, self.manifest.promise, since_ts)

    @cached_property
    def asynchronous(self) -> tuple[Event, ...]:
        """The asynchronous invocations of the pipeline's functions.

        Raises:
            EvidenceError: as ``flow``.
        """
        return tuple(Events(self.flow).all())

    @cached_property
    def ledger(self) -> pd.DataFrame:
        return self.run.table("ledger")

    @cached_property
    def events(self) -> pd.DataFrame:
        """Events of this run, each once; those of another run id (probes, an earlier run) and of tasks that were there
        before the load are left out.
        """
        events = distinct_events(self.run.table("events"))
        run_id = self.manifest.logged_run_id
        own = events["run_id"].isna() | sure(events["run_id"] == run_id)
        return events[own & ~among(events["task_id"], self._earlier)]

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """Task table and archive without what is older than the load and was not sent by this run's clients."""
        tasks = self.run.table("tasks")
        return tasks[~self._is_earlier]

    @cached_property
    def _is_earlier(self) -> "pd.Series[bool]":
        """Which rows of the TASKS table are not the load's: a pipeline that is loaded by hand may know other tasks."""
        tasks, started_ts = self.run.table("tasks"), self.manifest.load_started_ts
        if started_ts is None:
            return pd.Series(data=False, index=tasks.index)
        written_ts = tasks["created_ts"].fillna(tasks["archived_ts"])
        old = sure(written_ts < started_ts - EARLIER_MARGIN_S)
        return old & ~among(tasks["task_id"], names(self.ledger["task_id"]))

    @cached_property
    def _earlier(self) -> set[str]:
        """The tasks of those rows; none where nobody can tell."""
        if not {"tasks", "ledger"} <= set(self.run.tables):
            return set()
        tasks = self.run.table("tasks")
        return names(tasks.loc[self._is_earlier, "task_id"])

    @cached_property
    def items(self) -> pd.DataFrame:
        """The task table alone, one row for each task, indexed by task id."""
        chosen = self.tasks[self.tasks["task_id"].notna() & sure(self.tasks["in_table"])]
        return chosen.drop_duplicates("task_id").set_index("task_id", drop=False)

    @cached_property
    def attempts(self) -> pd.DataFrame:
        return attempts_table(self.events, self.tasks)

    @cached_property
    def retries(self) -> pd.DataFrame:
        return retries_table(self.attempts)

    @cached_property
    def dead_letters(self) -> pd.DataFrame:
        """The task.dead_lettered events, junk included (no task id, or one that no client sent)."""
        return self.events[self.events["event"] == "task.dead_lettered"]

    @cached_property
    def processor_functions(self) -> set[str]:
        """The functions that make attempts; the monitor and the API report about tasks too."""
        return names(self.events.loc[self.events["event"] == "attempt.started", "function"])

    @cached_property
    def known(self) -> set[str]:
        """Tasks of a client: sent by one, or in the task table."""
        return names(self.items.index) | names(self.ledger["task_id"])

    @cached_property
    def client_letters(self) -> pd.DataFrame:
        """The dead letters that are a client's task."""
        return self.dead_letters[among(self.dead_letters["task_id"], self.known)]

    @cached_property
    def two_messages(self) -> set[str]:
        """Tasks of which the processor saw more than one message."""
        processed = self.events[self.events["function"].isin(self.processor_functions)]
        pairs = processed[["task_id", "message_id"]].dropna().drop_duplicates()
        return names(pairs.loc[pairs["task_id"].duplicated(), "task_id"])

    @cached_property
    def messages(self) -> dict[str, str]:
        """Payloads that are a text. The table knows which payload was taken; the client only what it sent."""
        unknown_to_table = self.ledger[~among(self.ledger["task_id"], names(self.items.index))]
        return text_messages(self.items.reset_index(drop=True), unknown_to_table)

    @cached_property
    def generations(self) -> "pd.Series[int]":
        """Task id -> its latest generation, over table and events; 1 where nobody says."""
        said = pd.concat(
            [
                self.items[["task_id", "generation"]].reset_index(drop=True),
                self.events.loc[self.events["task_id"].notna(), ["task_id", "generation"]],
            ],
            ignore_index=True,
        ).dropna()
        return said.groupby("task_id")["generation"].max().astype("int64")

    @cached_property
    def taken(self) -> list[str]:
        """Tasks that the pipeline took: acknowledged to a client, in the table, or seen in an attempt."""
        acknowledged = self.ledger["outcome"].isin(TAKEN).astype(bool)
        found = pd.concat(
            [self.ledger.loc[acknowledged, "task_id"], self.items["task_id"], self.attempts["task_id"]],
            ignore_index=True,
        )
        return [str(name) for name in found.dropna().unique().tolist()]

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The oracle's attempts for every generation of every task that was taken."""
        latest = self.generations.reindex(self.taken).fillna(1).astype("int64")
        pairs = zip(latest.index.tolist(), latest.tolist(), strict=True)
        lives = ((task, number) for task, last in pairs for number in range(1, last + 1))
        return predicted_attempts(self.plan, self.policy, lives, self.messages, self._clock)

    def scripted(self, task_ids: pd.Series) -> "pd.Series[bool]":
        """Which of these tasks do not follow the drawn rates: scripted ones, and those that an outage struck."""
        return scripted(self.plan, task_ids, self.messages) | among(task_ids, self.struck)

    @cached_property
    def struck(self) -> set[str]:
        """Tasks with an attempt during the outage of the dependency."""
        return {task for (task, _, _), run_s in self._clock.items() if self.plan.is_outage(run_s)}

    @cached_property
    def _clock(self) -> Clock:
        """When each attempt began, where an outage makes that matter."""
        started_ts = self.manifest.run_started_ts
        if not self.plan.outage_duration_s or started_ts is None:
            return {}
        seen = self.attempts.dropna(subset=["started_ts"])
        rows = seen[["task_id", "generation", "attempt", "started_ts"]].itertuples(index=False)
        return {(str(task), int(life), int(attempt)): ts - started_ts for task, life, attempt, ts in rows}

    @property
    def nothing_left(self) -> bool:
        """Whether no message is left anywhere: the run saw all queues drained, or the samples show it. Samples that
        contradict the run outrank it.
        """
        return (self.manifest.drained and not self.left_in_queues) or self.queues_empty

    @cached_property
    def last_samples(self) -> pd.DataFrame:
        """The last sample of each queue; a number that it lacks is 0."""
        samples = self.run.table("queues").sort_values("ts").drop_duplicates("queue", keep="last")
        return samples.fillna(dict.fromkeys(("visible", "in_flight", "delayed"), 0))

    @cached_property
    def left_in_queues(self) -> tuple[str, ...]:
        """Queues whose last sample shows messages: ``tasks: 3 visible, 1 in flight, 0 delayed``."""
        if "queues" not in self.run.tables:
            return ()
        rows = self.last_samples[["queue", "visible", "in_flight", "delayed"]].itertuples(index=False)
        return tuple(
            f"{queue}: {visible} visible, {in_flight} in flight, {delayed} delayed"
            for queue, visible, in_flight, delayed in rows
            if visible or in_flight or delayed
        )

    @cached_property
    def queues_empty(self) -> bool:
        """Whether the last samples of all queues show no message in any state for EMPTY_FOR_S and longer."""
        samples = self.run.table("queues")
        if samples.empty or self.run.topology is None:
            return False
        if set(samples["queue"].dropna()) != set(self.run.topology.queue_names):
            return False
        depth = samples[["visible", "in_flight", "delayed"]].fillna(0).sum(axis=1)
        last_ts = samples.groupby("queue")["ts"].max().min()
        busy_ts = samples.loc[depth > 0, "ts"].max()
        first_ts = samples["ts"].min()
        since = first_ts if pd.isna(busy_ts) else busy_ts
        return bool(last_ts - since >= EMPTY_FOR_S)
