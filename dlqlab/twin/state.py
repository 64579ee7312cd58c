"""The arrays of a simulation before it starts, from scenario, target and arrivals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlqlab.contracts.scenario import Scenario
from dlqlab.load import tasks as generator
from dlqlab.twin.arrivals import Arrivals
from dlqlab.twin.contract import EPOCH_TS
from dlqlab.twin.engine import ahead, draws, layout
from dlqlab.twin.engine.ahead import EQUAL, FULL, NO_JITTER
from dlqlab.twin.engine.chance import CONSTANT, EMPIRICAL, EXPONENTIAL, LOGNORMAL
from dlqlab.twin.engine.clients import send
from dlqlab.twin.engine.layout import State
from dlqlab.twin.engine.views import table_of
from dlqlab.twin.parameters import DistributionKind, Duration, Order, Parameters
from dlqlab.twin.pollers import queues_at_start, with_pollers
from taskrules.draws import uniform
from taskrules.faults import MESSAGE_ALWAYS_FAILS, MESSAGE_NEVER_FAILS, FaultMode
from taskrules.retry import Jitter

Array = NDArray[Any]
JUNK_AT_S = 1.0
MESSAGES_MIN, MESSAGES_FIRST = 1024, 1 << 12
KINDS = {
    DistributionKind.CONSTANT: CONSTANT,
    DistributionKind.EXPONENTIAL: EXPONENTIAL,
    DistributionKind.LOGNORMAL: LOGNORMAL,
    DistributionKind.EMPIRICAL: EMPIRICAL,
}
JITTERS = {Jitter.NONE: NO_JITTER, Jitter.EQUAL: EQUAL, Jitter.FULL: FULL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A simulation that is ready to start."""

    state: State
    clients: Array
    load_s: float


def prepare(scenario: Scenario, parameters: Parameters, arrivals: Arrivals, *, seed: int, sample: int) -> Prepared:
    """Clients first: who sends what does not depend on the pipeline, only on how fast the API answers."""
    table = durations(parameters)
    rng = np.random.default_rng([seed, scenario.seed])
    start = np.uint64(rng.integers(2**63))
    sent, enqueued, done = send(arrivals.due_s, arrivals.users, arrivals.ends_s, table, start)
    clients = np.zeros(len(sent), dtype=layout.CLIENT)
    clients["sent"], clients["enqueued"], clients["done"] = sent, enqueued, done
    ids = _ids(arrivals)
    _crash_api(clients, scenario, parameters, arrivals)
    tasks = _tasks(scenario, arrivals, ids, len(sent))
    if sample:
        # A generator of its own: what is sampled must not change what happens.
        chosen = np.random.default_rng([seed, sample]).choice(len(sent), size=min(sample, len(sent)), replace=False)
        tasks["sampled"][chosen] = 1
    feed_t, feed_task = _feed(clients, scenario, arrivals)
    state = _state(scenario, parameters, tasks, ids, is_logged=bool(sample))
    state = state._replace(feed_t=feed_t, feed_task=feed_task, durations=table)
    state.clock[0]["rng"] = np.uint64(rng.integers(2**63))
    return Prepared(state=state, clients=clients, load_s=float(sent[-1]) if len(sent) else 0.0)


def durations(parameters: Parameters) -> Array:
    """One row for each duration: its family's number, then its values."""
    found: list[Duration] = [getattr(parameters, name) for name in layout.DURATIONS]
    table = np.zeros((len(found), 2 + max(len(one.values) for one in found)))
    for row, one in zip(table, found, strict=True):
        row[0] = KINDS[one.kind]
        row[1 : 1 + len(one.values)] = one.values
        row[1 + len(one.values)] = one.values[-1]  # the right end of the last step
    return table


def _ids(arrivals: Arrivals) -> Array:
    """Task ids as rows of characters that end in a zero; no rows where the load generator makes them."""
    if arrivals.task_ids is None:
        return np.zeros((0, 1), dtype=np.uint8)
    width = max(len(one.encode()) for one in arrivals.task_ids) + 1
    text = b"".join(one.encode().ljust(width, b"\0") for one in arrivals.task_ids)
    return np.frombuffer(text, dtype=np.uint8).reshape(-1, width).copy()


def _drawn(arrivals: Arrivals, seed: int, purpose: int, n: int) -> Array:
    """One draw for each of the first n tasks."""
    if arrivals.task_ids is None:
        return draws.draws(seed, purpose, np.arange(n, dtype=np.int32))
    return np.array([uniform(seed, draws.PURPOSES[purpose], one) for one in arrivals.task_ids[:n]])


def _crash_api(clients: Array, scenario: Scenario, parameters: Parameters, arrivals: Arrivals) -> None:
    """The API dies between its two writes: no answer, and the sweeper enqueues the task."""
    rate = scenario.faults.api_crash_rate
    if not rate:
        return
    clients["unanswered"] = _drawn(arrivals, scenario.seed, draws.API_CRASH, len(clients)) < rate
    lost = clients["unanswered"]
    due = (clients["enqueued"][lost] + parameters.sweep_after_s) / parameters.sweep_period_s
    clients["done"][lost] = clients["enqueued"][lost]
    clients["enqueued"][lost] = np.ceil(due) * parameters.sweep_period_s


def _tasks(scenario: Scenario, arrivals: Arrivals, ids: Array, n: int) -> Array:
    fresh = np.zeros(1, dtype=layout.TASK)
    fresh["generation"], fresh["carrier"], fresh["first_started"], fresh["updated"] = 1, -1, np.nan, np.nan
    tasks = np.full(n, fresh)
    suffix = scenario.faults.permanent_suffix.encode()
    if suffix:
        tasks["suffix"] = draws.ends_in(ids, scenario.seed, n, np.frombuffer(suffix, dtype=np.uint8).copy())
    rate = scenario.load.scripted_rate
    if arrivals.payloads is not None:
        texts = np.array(arrivals.payloads[:n], dtype=object)
        tasks["script"][texts == generator.to_json(MESSAGE_ALWAYS_FAILS)] = layout.Script.ALWAYS_FAILS
        tasks["script"][texts == generator.to_json(MESSAGE_NEVER_FAILS)] = layout.Script.NEVER_FAILS
    elif rate and not len(ids):
        drawn = _drawn(arrivals, scenario.seed, draws.SCRIPT, n)
        tasks["script"][drawn < rate] = layout.Script.NEVER_FAILS
        tasks["script"][drawn < rate / 2] = layout.Script.ALWAYS_FAILS
    return tasks


def _feed(clients: Array, scenario: Scenario, arrivals: Arrivals) -> tuple[Array, Array]:
    """When each message is sent to the queue, and of which task; -1 for junk."""
    task = np.arange(len(clients), dtype=np.int32)
    at = clients["enqueued"]
    if scenario.faults.duplicate_rate:
        drawn = _drawn(arrivals, scenario.seed, draws.IS_DUPLICATE, len(clients))
        # The sweeper, which enqueues what a crash of the API left, sends one message only.
        twice = np.flatnonzero((drawn < scenario.faults.duplicate_rate) & ~clients["unanswered"]).astype(np.int32)
        task, at = np.concatenate([task, twice]), np.concatenate([at, at[twice]])
    junk = scenario.load.junk_messages
    if not junk and len(task) == len(clients) and bool(np.all(at[1:] >= at[:-1])):
        return at.copy(), task
    task = np.concatenate([task, np.full(junk, -1, dtype=np.int32)])
    at = np.concatenate([at, np.full(junk, JUNK_AT_S)])
    order = np.argsort(at, kind="stable")
    return at[order], task[order]


def rules(scenario: Scenario, parameters: Parameters) -> Array:
    """RULES of a scenario on a target."""
    plan, policy = scenario.faults, scenario.retry
    breaker = scenario.breaker
    values: dict[str, Any] = {
        "seed": scenario.seed,
        "sticky": plan.mode is FaultMode.PER_TASK,
        "by_draw": plan.mode is not FaultMode.NONE,
        "slow_rate": plan.slow_rate,
        "slow_s": plan.slow_s,
        "outage_start": plan.outage_start_s - parameters.warm_up_s,
        "outage_end": plan.outage_start_s + plan.outage_duration_s - parameters.warm_up_s,
        "max_attempts": policy.max_retries + 1,
        "jitter": JITTERS[policy.jitter],
        "has_breaker": breaker.enabled,
        "ratio": breaker.failure_ratio,
        "window": breaker.window_s,
        "min_calls": breaker.min_calls,
        "cool_down": breaker.cool_down_s,
        "by_sent": parameters.order is Order.SENT,
        "back_after": parameters.back_after_receives,
        "per_s": parameters.pollers_per_min / 60,
        "environments_max": parameters.concurrency_max,
        "in_flight_max": parameters.in_flight_max,
        "retention": parameters.retention_s,
        "tick": parameters.visibility_tick_s,
        "poll_interval": parameters.poll_interval_s,
        "empty_wait": parameters.empty_wait_s,
        "empty_factor": parameters.empty_wait_factor,
        "empty_max": parameters.empty_wait_max_s,
        "stale_deletes": parameters.stale_handle_deletes,
        "count_goes_on": parameters.receive_count_goes_on,
        "idle_max": parameters.environment_idle_s,
        "throttle_pause": parameters.throttle_pause_s,
        "epoch": EPOCH_TS,
    }
    found = np.zeros(1, dtype=layout.RULES)
    for name, value in values.items():
        found[name] = value
    return found


def _state(scenario: Scenario, parameters: Parameters, tasks: Array, ids: Array, *, is_logged: bool) -> State:
    queues = queues_at_start(scenario, parameters)
    policy = scenario.retry
    pollers = int(queues["max"].sum())
    width = int(queues["batch_size"].max())
    messages = max(MESSAGES_MIN, min(MESSAGES_FIRST, 2 * len(tasks)))
    found_rules = rules(scenario, parameters)
    found_rules["is_logged"] = is_logged
    text, words = draws.scratch()
    state = State(
        clock=np.zeros(1, dtype=layout.CLOCK),
        rules=found_rules,
        breaker=np.zeros(1, dtype=layout.BREAKER),
        queues=queues,
        tasks=tasks,
        messages=np.zeros(0, dtype=layout.MESSAGE),
        delayed=np.zeros(1, dtype=layout.HEAP),
        front=np.zeros(0, dtype=layout.HEAP),
        feed_t=np.zeros(0),
        feed_task=np.zeros(0, dtype=np.int32),
        pollers=np.zeros(pollers, dtype=layout.POLLER),
        turns=np.zeros(0, dtype=layout.TOURNAMENT),
        idle=np.zeros((4, int(queues["max"].max())), dtype=np.int32),
        members=np.zeros((pollers, width), dtype=np.int32),
        receipts=np.zeros((pollers, width), dtype=np.int16),
        answers=np.zeros((pollers, width), dtype=np.uint8),
        environments=np.zeros(pollers + 1, dtype=layout.ENVIRONMENT),
        warm=np.zeros((3, pollers + 1), dtype=np.int32),
        durations=np.zeros((0, 0)),
        edges=np.array(scenario.faults.edges()),
        ceilings=np.array([policy.ceiling_s(attempt) for attempt in range(1, policy.max_attempts + 1)]),
        ids=ids,
        text=text,
        words=words,
        plans=np.zeros(0, dtype=np.uint32),
        waits=np.zeros((0, 1), dtype=np.uint16),
        series=np.zeros((0, len(layout.SERIES)), dtype=np.int64),
        log=np.zeros(64, dtype=layout.LOG),
        invocations=np.zeros(64, dtype=layout.INVOCATION),
    )
    state.clock[0]["next_tick"] = layout.NEVER
    state.delayed["key"] = layout.NEVER
    state.clock[0]["free_head"] = -1
    return with_messages(with_pollers(state, parameters), messages)


def with_messages(state: State, n: int) -> State:
    """Room for so many messages; those that are there keep their slots."""
    had = len(state.messages)
    messages = np.zeros(n, dtype=layout.MESSAGE)
    messages[:had] = state.messages
    # New slots in a chain that ends in the old one.
    messages["next"][had:] = np.arange(had + 1, n + 1)
    messages["next"][n - 1] = state.clock[0]["free_head"]
    state.clock[0]["free_head"] = had
    state.clock[0]["free"] += n - had
    return state._replace(messages=messages, delayed=_longer(state.delayed, n + 1), front=_longer(state.front, n + 1))


def with_plans(state: State) -> State:
    """The draws for the tasks' first attempts made beforehand, where the ids are the load generator's."""
    if len(state.ids):
        return state
    tasks, rules = len(state.tasks), fields(state.rules)
    waits = min(rules["max_attempts"], ahead.DEPTH) - 1 if rules["jitter"] != NO_JITTER else 0
    state = state._replace(
        plans=np.full(tasks, ahead.ALL_UNKNOWN, dtype=np.uint32),
        waits=np.full((tasks if waits else 0, max(1, waits)), ahead.WAIT_UNKNOWN, dtype=np.uint16),
    )
    table = table_of(state)
    ahead.foretell(table.ctypes.data, *(np.empty(ahead.CHUNK, dtype=kind) for kind in (np.int32, np.uint8, np.float64)))
    return state


def with_log(state: State) -> State:
    """Twice the room in both logs."""
    return state._replace(
        log=_longer(state.log, 2 * len(state.log)), invocations=_longer(state.invocations, 2 * len(state.invocations))
    )


def with_seconds(state: State, n: int) -> State:
    """Room in the series for so many seconds."""
    series = np.zeros((n, state.series.shape[1]), dtype=np.int64)
    series[: len(state.series)] = state.series
    return state._replace(series=series)


def _longer(array: Array, n: int) -> Array:
    grown = np.zeros(n, dtype=array.dtype)
    grown[: len(array)] = array
    return grown


def fields(array: Array) -> dict[str, Any]:
    """The one record of an array as plain values."""
    return dict(zip(array.dtype.names or (), array[0].item(), strict=True))
