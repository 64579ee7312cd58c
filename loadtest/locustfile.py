"""The clients: users that send each task once and keep a journal of it. Settings: see docs/load.md.

One process alone, or a master and workers: at the start of a run the master (or the single process itself) tells every
worker its share of the tasks; a worker that has sent its share says so, and when all have, the run ends.
"""

import dataclasses
import json
import logging
import os
import time
from datetime import UTC, datetime
from typing import Any

import gevent
from gevent.event import Event
from locust import FastHttpUser, events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from dlqlab.contracts.access import api_headers
from dlqlab.contracts.scenario import Load
from dlqlab.errors import UsageError
from dlqlab.load.journal import SETTINGS_SUFFIX, SUMMARY_SUFFIX, Journal, worker_name
from dlqlab.load.pace import Pace, Share
from dlqlab.load.senders import sender_of
from dlqlab.load.settings import LoadSettings, check_host

logger = logging.getLogger("dlqlab.load")

SETTINGS = LoadSettings.from_env(os.environ, by_hand_id=f"by-hand-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}")
PLAN, DONE = "dlqlab_plan", "dlqlab_done"
END_GRACE_S = 10.0
EXIT_INCOMPLETE = 1
EXIT_REFUSED = 3
HEADERS = api_headers(os.environ)


class Run:
    """One run of the load in one process: its share of the tasks, its journal, and whether it has been sent."""

    def __init__(self, share: Share, settings: LoadSettings, worker: str, host: str | None) -> None:
        self.started_ts = time.time()
        self.settings = settings
        load = settings.load
        self.pace = Pace(share, rate_per_s=load.rate_per_s, duration_s=load.duration_s, started_s=time.monotonic())
        self.journal = Journal(SETTINGS.ledger_dir, worker)
        self._leave_beside(SETTINGS_SUFFIX, settings.to_json() | {"host": host, "started_ts": self.started_ts})
        self.sender = sender_of(
            settings.entry,
            seed=settings.seed,
            payload_bytes=load.payload_bytes,
            scripted_rate=load.scripted_rate,
            headers=HEADERS,
        )
        self.busy = 0
        self.ended = Event()

    def send_next(self, client: Any) -> bool:
        """Send the next task when it is due; False when none is left."""
        slot = self.pace.next(time.monotonic())
        if slot is None:
            if not self.busy:
                self.ended.set()
            return False
        self.busy += 1
        try:
            gevent.sleep(max(0.0, slot.due_s - time.monotonic()))
            self.pace.sent(slot, time.monotonic())
            self._send(client, slot.counter)
        finally:
            self.busy -= 1
        return True

    def summary(self) -> dict[str, object]:
        """What the journal's rows do not say: how late the tasks went."""
        late = self.pace.late
        return {
            "worker": self.journal.worker,
            "started_ts": self.started_ts,
            "ended_ts": time.time(),
            "planned": self.pace.planned,
            "sent": late.n,
            "late_mean_s": round(late.mean_s, 6),
            "late_max_s": round(late.max_s, 6),
        }

    def close(self) -> None:
        """Leave the summary beside the journal and close it."""
        summary = self.summary()
        self.journal.close()
        self._leave_beside(SUMMARY_SUFFIX, summary)
        logger.info(
            "sent %(sent)d of %(planned)d tasks; late by %(late_mean_s).3f s on average, %(late_max_s).3f s at most",
            summary,
        )

    def _leave_beside(self, suffix: str, value: dict[str, Any]) -> None:
        path = SETTINGS.ledger_dir / f"{self.journal.worker}{suffix}"
        path.write_text(json.dumps(value) + "\n")

    def _send(self, client: Any, counter: int) -> None:
        message = self.sender.compose(counter)
        request = self.journal.invoked(task_id=message.task_id, payload_json=message.payload_json, sent_ts=time.time())
        began = time.perf_counter()
        answer = self.sender.send(client, message, counter, request)
        self.journal.completed(
            request,
            done_ts=time.time(),
            status_code=answer.status_code,
            latency_ms=(time.perf_counter() - began) * 1000,
            error=answer.error,
            accepted=self.sender.accepted,
        )


class State:
    """What this process is doing; Locust calls back without any context of ours."""

    run: Run | None = None
    runs_started = 0
    waiting_for: frozenset[str] = frozenset()


def submit(user: Any) -> None:
    """One task of one user; a user with nothing left to send waits until Locust ends it."""
    if State.run is None or not State.run.send_next(user.client):
        Event().wait()


class Client(FastHttpUser):  # type: ignore[misc]  # locust has no types
    """Sends tasks; it never tries one again and follows no redirect, so one task is one request."""

    tasks = [submit]  # noqa: RUF012  (how Locust declares them)
    network_timeout = SETTINGS.load.timeout_s
    connection_timeout = SETTINGS.load.timeout_s
    max_redirects = 0
    max_retries = 0
    concurrency = 1

    def on_start(self) -> None:
        # Here too: a worker gets its host from the master, the web UI lets people edit it.
        check_host(self.host, allow_remote=SETTINGS.allow_remote)


def set_defaults(parser: Any) -> None:
    parser.set_defaults(num_users=SETTINGS.load.users, spawn_rate=min(SETTINGS.load.users, 100))


def on_init(environment: Any, **_: Any) -> None:
    """Register the messages between master and workers; refuse a wrong target before anything starts."""
    runner = environment.runner
    if isinstance(runner, (WorkerRunner, LocalRunner)):
        runner.register_message(PLAN, on_plan)
    if isinstance(runner, (MasterRunner, LocalRunner)):
        runner.register_message(DONE, on_done)
    if not isinstance(runner, WorkerRunner) and environment.host:
        refuse_wrong_host(environment.host)


def refuse_wrong_host(host: str | None) -> None:
    try:
        check_host(host, allow_remote=SETTINGS.allow_remote)
    except UsageError as error:
        logger.error("refused: %s", error)  # noqa: TRY400  (a sentence is enough)
        raise SystemExit(EXIT_REFUSED) from error


def on_test_start(environment: Any, **_: Any) -> None:
    """Tell every worker its share. Locust sends the order to start afterwards, on the same connection."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        return
    clients = sorted(runner.clients) if isinstance(runner, MasterRunner) else ["local"]
    first = State.runs_started * SETTINGS.load.tasks
    State.runs_started += 1
    State.waiting_for = frozenset(clients)
    plan = {"workers": clients, "first": first, "seed": SETTINGS.seed, "load": dataclasses.asdict(SETTINGS.load)}
    runner.send_message(PLAN, plan)
    bound_s = SETTINGS.load.duration_s + 2 * SETTINGS.load.timeout_s + END_GRACE_S
    gevent.spawn_later(bound_s, end_overdue, environment, State.runs_started)


def on_plan(environment: Any, msg: Any, **_: Any) -> None:
    """Begin this worker's share: of what the master was asked to send, whatever this process was told."""
    runner = environment.runner
    settings = dataclasses.replace(SETTINGS, seed=msg.data["seed"], load=Load(**msg.data["load"]))
    workers = msg.data["workers"]
    name = runner.client_id
    if isinstance(runner, LocalRunner):
        name = "local"
    index = workers.index(name)
    cell = settings.cell
    share = Share(
        first=msg.data["first"],
        index=index * cell.of + cell.number,
        stride=len(workers) * cell.of,
        tasks=settings.load.tasks,
    )
    worker = worker_name(index, os.getpid(), msg.data["first"])
    Client.network_timeout = Client.connection_timeout = settings.load.timeout_s
    State.run = Run(share, settings, worker, environment.host)
    gevent.spawn(report_end, environment, State.run)


def report_end(environment: Any, run: Run) -> None:
    run.ended.wait()
    environment.runner.send_message(DONE, run.summary())


def on_done(environment: Any, msg: Any, **_: Any) -> None:
    """End the run when every worker has sent its share."""
    State.waiting_for -= {msg.node_id}
    if not State.waiting_for:
        # Not from here: ending the run kills the greenlet that handles messages.
        gevent.spawn(end, environment)


def end_overdue(environment: Any, run_number: int) -> None:
    """The bound on time: a lost worker must not keep the run alive."""
    if run_number == State.runs_started and State.waiting_for:
        logger.error("time is over; workers that did not finish: %s", sorted(State.waiting_for))
        environment.process_exit_code = EXIT_INCOMPLETE
        end(environment)


def end(environment: Any) -> None:
    """End the process, or only the run where somebody works with the web UI."""
    options = environment.parsed_options
    if environment.web_ui and not options.autostart:
        environment.runner.stop()
        return
    environment.runner.quit()
    if environment.web_ui:
        environment.web_ui.stop()


def on_test_stop(environment: Any, **_: Any) -> None:
    del environment
    if State.run is not None:
        State.run.close()
        State.run = None


def on_quitting(environment: Any, **_: Any) -> None:
    """Failed requests are for the verdict; the exit code only says whether the clients themselves worked."""
    if environment.process_exit_code is None:
        environment.process_exit_code = EXIT_INCOMPLETE if environment.runner.exceptions else 0


events.init_command_line_parser.add_listener(set_defaults)
events.init.add_listener(on_init)
events.test_start.add_listener(on_test_start)
events.test_stop.add_listener(on_test_stop)
events.quitting.add_listener(on_quitting)
