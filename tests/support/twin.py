"""Targets and scenarios for the tests of the simulated twin."""

import dataclasses
from typing import Any

from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.twin.parameters import Order, Parameters, fixed
from tests.support.simpy_model import Seconds

ZERO: dict[str, Any] = dict.fromkeys(
    (
        "enqueue_s", "answer_s", "api_busy_s", "deliver_s", "head_s", "success_s", "turn_s", "failure_s", "hide_s",
        "skip_s", "tail_s", "settle_s", "reappear_s", "monitor_s", "cold_start_s",
    ),
    fixed(0.0),
)  # fmt: skip
"""Every duration nothing: what a test does not name takes no time."""


def target(times: Seconds, *, by_sent: bool = True, back_after: int = 3, pollers: int = 5) -> Parameters:
    """A target with these constant durations and no growth."""
    own: dict[str, Any] = {
        f"{name}_s": fixed(getattr(times, name)) for name in (one.name for one in dataclasses.fields(times))
    }
    order = Order.SENT if by_sent else Order.VISIBLE
    return Parameters(
        name="constant", order=order, back_after_receives=back_after, pollers_start=pollers, pollers_max=pollers,
        warm_environments=10**6, **{**ZERO, **own},
    )  # fmt: skip


def scenario(name: str = "small", *, seed: int = 1, load: dict[str, Any] | None = None, **sections: Any) -> Scenario:
    """A scenario of the sections given as plain values: faults, retry, pipeline."""
    plain = {"name": name, "seed": seed, "load": {"users": 1000, **(load or {})}, **sections}
    return from_dict(plain, source="a test")
