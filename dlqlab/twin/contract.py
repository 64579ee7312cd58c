"""What a simulation is asked and what it answers: plain typed values, no compiler needed to import them.

Simulated time counts in seconds from the start of the load; ``EPOCH_TS`` is where that lies on the calendar, so that a
simulated run directory has ordinary time stamps and two simulations of one seed are the same to the last digit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.contracts.scenario import Scenario
from dlqlab.twin.engine.layout import Status
from dlqlab.twin.parameters import Parameters

EPOCH_TS = 1_767_225_600.0
"""2026-01-01T00:00:00Z: when every simulated load starts."""

Records = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """Every task that is dead-lettered when the pipeline has drained gets one generation more, at this rate."""

    after_s: float = 60.0  # from the end of the drain
    rate_per_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Exact counts over all tasks of a simulation, whatever was sampled."""

    tasks: int  # sent by the clients
    accepted: int  # acknowledged to a client
    completed: int
    dead_lettered: int
    open: int  # neither at the end: still waiting at the horizon, or expired
    expired: int  # messages that the queue dropped at the end of its retention
    attempts: int
    failed_attempts: int  # attempts after which the task was still to be done, reported or not
    receives: int  # messages handed to the processor, attempts and skipped deliveries alike
    skipped: int  # deliveries that led to no attempt
    put_off: int  # of these, because the breaker was open
    invocations: int  # of the processor
    wasted_invocations: int  # of these, without any attempt that succeeded
    timeouts: int  # invocations ended by the function's timeout
    crashes: int  # invocations ended by the death of the process
    throttles: int  # batches that no execution environment was free for
    cold_starts: int  # of the processor
    processor_busy_s: float  # duration of all the processor's invocations, cold starts not among it
    monitor_invocations: int
    monitor_busy_s: float
    api_busy_s: float  # duration of all the API's invocations
    empty_receives: int  # polls that found nothing; idle waiting on AWS is long polling of 20 s
    visibility_changes: int
    peak_visible: int  # of the task queue, over all seconds
    peak_in_flight: int
    peak_receives_per_s: int  # most messages received within one second
    load_s: float  # until the last task was sent
    drained_s: float  # from then until both queues were empty and every function idle
    drained: bool  # before the horizon


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """One simulated run.

    ``series``: one row a second, columns t_s, accepted, received, started, failed, completed, dead_lettered, visible,
    in_flight, dlq_visible, dlq_in_flight (counts within the second; depths at its start).

    ``clients`` and ``tasks`` have one record for each task (``engine.layout.CLIENT``, ``TASK``), ``log`` and
    ``invocations`` those of the sampled tasks (``LOG``, ``INVOCATION``).
    """

    scenario: Scenario
    parameters: Parameters
    totals: Totals
    series: pd.DataFrame
    clients: Records
    tasks: Records
    log: Records
    invocations: Records
    sampled: NDArray[np.int64]  # numbers of the tasks whose events are in the log

    def completion_s(self) -> NDArray[np.float64]:
        """Seconds from sending to completion, one for each completed task."""
        done = self.tasks["status"] == Status.COMPLETED
        return np.asarray(self.tasks["updated"][done] - self.clients["sent"][done], dtype=np.float64)

    def waiting_s(self) -> NDArray[np.float64]:
        """Seconds from the message's arrival in the queue to its first attempt, for tasks that had one."""
        began = self.tasks["attempts"] > 0
        return np.asarray(self.tasks["first_started"][began] - self.clients["enqueued"][began], dtype=np.float64)
