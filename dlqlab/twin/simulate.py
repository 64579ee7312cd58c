"""Play a scenario in simulated time."""

import numpy as np
import pandas as pd

from dlqlab.contracts.scenario import Scenario
from dlqlab.errors import UsageError
from dlqlab.twin.arrivals import Arrivals, of_load
from dlqlab.twin.contract import Redrive, Simulation, Totals
from dlqlab.twin.engine import layout
from dlqlab.twin.engine.layout import LETTERS, TASKS, State
from dlqlab.twin.engine.loop import advance
from dlqlab.twin.engine.views import table_of
from dlqlab.twin.parameters import LOCALSTACK, Parameters
from dlqlab.twin.state import Prepared, fields, prepare, with_log, with_messages, with_plans, with_seconds

DAY_S = 86_400.0
SPARE_SECONDS = 512


def simulate(
    scenario: Scenario,
    *,
    parameters: Parameters = LOCALSTACK,
    arrivals: Arrivals | None = None,
    seed: int = 0,
    sample: int = 0,
    horizon_s: float | None = None,
    redrive: Redrive | None = None,
    exact_fates: bool = True,
) -> Simulation:
    """The scenario's load through the pipeline.

    Fates are those of the app for the same task ids, however many tasks there are; only timings depend on ``seed``.

    Args:
        scenario: faults, retry policy, breaker, pipeline; and the load, unless ``arrivals`` are given.
        parameters: how the target behaves.
        arrivals: when tasks are due, in the place of the scenario's load.
        seed: of the timings.
        sample: how many tasks to keep all events of, drawn evenly; 0 keeps none and is fastest.
        horizon_s: when to stop, counted from the last task sent; default: when nothing is left to do, or when the
            queue's retention has passed.
        redrive: what happens to dead letters afterwards; default: nothing.
        exact_fates: False takes quick draws in the place of the app's: faults and jitter of the same distribution, but
            not those of a run of this seed. About twice as fast; no events are kept.

    Raises:
        UsageError: a setting is impossible.
    """
    if sample < 0 or seed < 0:
        raise UsageError(f"sample is {sample}, seed is {seed}: give 0 or more")
    if sample and not exact_fates:
        raise UsageError("sample without exact_fates: the events would tell of other tasks than the scenario's seed")
    if horizon_s is not None and not horizon_s >= 0:
        raise UsageError(f"horizon_s is {horizon_s}: give seconds of 0 or more")
    prepared = prepare(scenario, parameters, arrivals or of_load(scenario.load), seed=seed, sample=sample)
    prepared.state.rules["is_quick"] = not exact_fates
    state = with_plans(prepared.state) if exact_fates else prepared.state
    end_s = prepared.load_s + (parameters.retention_s + DAY_S if horizon_s is None else horizon_s)
    state, is_over = play(state, end_s)
    if redrive is not None and is_over:
        state, is_over = play(redriven(state, redrive), np.inf)
    return _result(scenario, parameters, prepared, state, is_over=is_over)


def play(state: State, end_s: float) -> tuple[State, bool]:
    """Run the loop until it is over, with more room wherever it asks for some; whether it was over before the end."""
    state = with_seconds(state, max(len(state.series), int(state.feed_t.max(initial=0.0)) + SPARE_SECONDS))
    while True:
        table = table_of(state)
        match advance(table.ctypes.data, end_s):
            case layout.Stop.FINISHED:
                return state, True
            case layout.Stop.AT_HORIZON:
                return state, False
            case layout.Stop.NEEDS_MESSAGES:
                state = with_messages(state, 2 * len(state.messages))
            case layout.Stop.NEEDS_LOG:
                state = with_log(state)
            case layout.Stop.NEEDS_SERIES:
                state = with_seconds(state, 2 * len(state.series))


def redriven(state: State, redrive: Redrive) -> State:
    """The dead letters sent again, as a new generation of their tasks.

    Raises:
        UsageError: the rate or the pause is impossible.
    """
    if not redrive.rate_per_s > 0 or redrive.after_s < 0:
        raise UsageError(f"redrive at {redrive.rate_per_s} a second after {redrive.after_s} s: give a rate over 0")
    dead = np.flatnonzero(state.tasks["status"] == layout.Status.FAILED).astype(np.int32)
    tasks, clock = state.tasks, state.clock[0]
    tasks["generation"][dead] += 1
    for name in ("attempts", "closed", "error"):
        tasks[name][dead] = 0
    tasks["status"][dead] = layout.Status.QUEUED
    clock["letters"] -= len(dead)
    clock["fed"] = 0
    at = clock["now"] + redrive.after_s + np.arange(len(dead)) / redrive.rate_per_s
    return state._replace(feed_t=at, feed_task=dead)


def _result(
    scenario: Scenario, parameters: Parameters, prepared: Prepared, state: State, *, is_over: bool
) -> Simulation:
    series = _series(prepared, state)
    clock = fields(state.clock)
    return Simulation(
        scenario=scenario,
        parameters=parameters,
        totals=_totals(parameters, prepared, state, series, is_over=is_over),
        series=series,
        clients=prepared.clients,
        tasks=state.tasks,
        log=state.log[: clock["log_n"]],
        invocations=state.invocations[: clock["invocations_n"]],
        sampled=np.flatnonzero(state.tasks["sampled"]),
    )


def _series(prepared: Prepared, state: State) -> pd.DataFrame:
    rows = int(fields(state.clock)["next_second"])
    accepted = prepared.clients["done"][~prepared.clients["unanswered"]].astype(np.int64)
    columns = {
        "t_s": np.arange(rows, dtype=np.float64),
        "accepted": np.bincount(accepted[accepted < rows], minlength=rows)[:rows],
        **dict(zip(layout.SERIES, state.series[:rows].T, strict=True)),
    }
    return pd.DataFrame(columns)


def _totals(parameters: Parameters, prepared: Prepared, state: State, series: pd.DataFrame, *, is_over: bool) -> Totals:
    clock = fields(state.clock)
    processor, monitor = state.queues[TASKS], state.queues[LETTERS]
    tasks = len(state.tasks)
    completed = int(np.count_nonzero(state.tasks["status"] == layout.Status.COMPLETED))
    dead = int(np.count_nonzero(state.tasks["status"] == layout.Status.FAILED))
    return Totals(
        tasks=tasks,
        accepted=tasks - int(prepared.clients["unanswered"].sum()),
        completed=completed,
        dead_lettered=dead,
        open=tasks - completed - dead,
        expired=clock["expired"],
        attempts=clock["attempts"],
        failed_attempts=clock["failed"],
        receives=clock["received"],
        skipped=clock["skipped"],
        put_off=clock["put_off"],
        invocations=int(processor["invocations"]),
        wasted_invocations=clock["wasted"],
        timeouts=clock["timeouts"],
        crashes=clock["crashes"],
        throttles=clock["throttles"],
        cold_starts=int(processor["cold_starts"]),
        processor_busy_s=float(processor["busy_s"]),
        monitor_invocations=int(monitor["invocations"]),
        monitor_busy_s=float(monitor["busy_s"]),
        api_busy_s=tasks * parameters.api_busy_s.mean_s,
        empty_receives=int(clock["idle_s"] / parameters.long_poll_s),
        visibility_changes=clock["changes"],
        peak_visible=int(series["visible"].max()) if len(series) else 0,
        peak_in_flight=int(series["in_flight"].max()) if len(series) else 0,
        peak_receives_per_s=int(series["received"].max()) if len(series) else 0,
        load_s=prepared.load_s,
        drained_s=max(0.0, clock["now"] - prepared.load_s),
        drained=is_over,
    )
