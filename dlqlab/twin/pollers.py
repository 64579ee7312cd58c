"""Queues and mappings as they are before the load: how many pollers, where they are, which environments are warm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlqlab.contracts.scenario import Scenario
from dlqlab.twin.engine import layout
from dlqlab.twin.engine.breaker import LONG_AGO
from dlqlab.twin.engine.layout import LETTERS, TASKS, State
from dlqlab.twin.parameters import Parameters

Array = NDArray[Any]
MONITOR_BATCH = 10


def queues_at_start(scenario: Scenario, parameters: Parameters) -> Array:
    """QUEUE of both queues, with the mappings that poll them."""
    queues = np.zeros(2, dtype=layout.QUEUE)
    own = scenario.pipeline
    most = own.max_concurrency or parameters.pollers_max
    grows = parameters.pollers_per_min > 0
    start = min(most, parameters.pollers_start) if grows or not own.max_concurrency else most
    starts = (start, parameters.pollers_start)
    for queue, first in zip(queues, starts, strict=True):
        queue["head"] = queue["tail"] = queue["gathering"] = -1
        queue["start"] = queue["allowed"] = queue["live"] = first
        queue["timeout"], queue["visibility"] = own.function_timeout_s, own.visibility_timeout_s
    queues["max"] = max(most, start), max(parameters.pollers_max, parameters.pollers_start)
    queues["batch_size"] = own.batch_size, MONITOR_BATCH
    queues["window"] = own.batch_window_s, 0.0
    return queues


def with_pollers(state: State, parameters: Parameters) -> State:
    """Pollers and warm environments in their places."""
    first = 0
    for queue in (TASKS, LETTERS):
        q = state.queues[queue]
        own = np.arange(first, first + int(q["max"]), dtype=np.int32)
        state.pollers["mapping"][own] = queue
        live = int(q["live"])
        q["idle"], q["gone"] = live, len(own) - live
        state.idle[queue, :live] = own[:live][::-1]
        state.idle[2 + queue, : len(own) - live] = own[live:][::-1]
        state.pollers["phase"][own] = np.where(own < first + live, layout.Phase.IDLE, layout.Phase.GONE)
        if parameters.poll_interval_s > 0:
            q["idle"] = 0
            state.pollers["phase"][own[:live]] = layout.Phase.POLL
        first += len(own)
    polling = np.flatnonzero(state.pollers["phase"] == layout.Phase.POLL).astype(np.int32)
    _warm_up(state, parameters.warm_environments)
    return state._replace(turns=_turns(len(state.pollers), polling))


def _turns(pollers: int, polling: Array) -> Array:
    """The tournament (engine.heaps.schedule) when these of the pollers poll at once and the others wait."""
    size = 1 << (pollers - 1).bit_length()
    turns = np.zeros(2 * size, dtype=layout.TOURNAMENT)
    leaves = turns[size:]
    leaves["at"], leaves["poller"] = np.float64(layout.NEVER).view(np.int64), np.arange(size)
    leaves["at"][polling] = 0  # the bits of 0.0
    while size > 1:
        left, right = turns[size : 2 * size : 2], turns[size + 1 : 2 * size : 2]
        turns[size // 2 : size] = np.where(right["at"] < left["at"], right, left)
        size //= 2
    return turns


def _warm_up(state: State, processors: int) -> None:
    """Environments that the load finds; the warm-up also calls the monitor once."""
    warm = min(processors, int(state.queues[TASKS]["max"])), min(1, processors)
    used = 0
    for queue in (TASKS, LETTERS):
        state.warm[queue, : warm[queue]] = np.arange(used, used + warm[queue])
        state.queues[queue]["warm"] = warm[queue]
        used += warm[queue]
    state.environments["name"][:used] = np.arange(used)
    state.environments["seen_at"] = LONG_AGO
    spare = len(state.environments) - used
    state.warm[2, :spare] = np.arange(used, used + spare)[::-1]
    state.clock[0]["environments"], state.clock[0]["spare"] = used, spare
