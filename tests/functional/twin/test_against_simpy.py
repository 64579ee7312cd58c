"""The compiled engine against a plain SimPy model of the same rules: every task, to the microsecond."""

from typing import Any

import numpy as np
import pytest

from dlqlab.twin.arrivals import Arrivals, constant
from dlqlab.twin.arrivals import burst as bursts
from dlqlab.twin.engine.layout import Status as Code
from dlqlab.twin.simulate import simulate
from taskrules.faults import FaultMode
from tests.support.simpy_model import Model, Seconds
from tests.support.twin import scenario, target

pytestmark = pytest.mark.timeout(900)  # the first simulation of a checkout compiles the engine
SMALL = 400
RATE = 36.79187  # no two tasks are whole seconds apart: with retries at the same moment it would matter who is first
TIMES = Seconds()
CASES: dict[str, dict[str, Any]] = {
    "transient": {"faults": {"failure_rate": 0.3}},
    "single": {"faults": {"failure_rate": 0.4}, "pipeline": {"batch_size": 1}},
    "permanent": {"faults": {"failure_rate": 0.2, "permanent_rate": 0.1}, "retry": {"max_retries": 4, "base_s": 1.0}},
    "sticky": {"faults": {"mode": "per_task", "failure_rate": 0.3}},
    "jitter": {"faults": {"failure_rate": 0.5}, "retry": {"jitter": "full", "max_retries": 3, "base_s": 4.0}},
    "crash": {
        "faults": {"failure_rate": 0.1, "crash_before_rate": 0.1},
        "retry": {"max_retries": 5},
        "pipeline": {"batch_size": 1, "visibility_timeout_s": 10},
    },
}


@pytest.mark.parametrize(
    ("by_sent", "back_after"),
    [(True, 3), (True, 0), (True, 1), (False, 3)],
    ids=["by-sent", "by-sent-always", "by-sent-once", "by-visible"],
)
@pytest.mark.parametrize("name", CASES)
def test_same_history_as_the_plain_model(name: str, *, by_sent: bool, back_after: int) -> None:
    """Attempts, end and times of every task agree, in each order of delivery, below and above capacity."""
    chosen = scenario(**CASES[name])
    assert_same(chosen, constant(RATE, SMALL), by_sent=by_sent, back_after=back_after)
    # Sticky tasks of one batch fail together in every attempt and come back in step, so that two of them may be due at
    # one moment. Who is first then is open, and either answer is right.
    if chosen.faults.mode is not FaultMode.PER_TASK:
        load = bursts(3.01234, 701.3, SMALL, every_s=7.3171, lasts_s=0.21)
        assert_same(chosen, load, by_sent=by_sent, back_after=back_after)


def assert_same(chosen: Any, arrivals: Arrivals, *, by_sent: bool, back_after: int) -> None:
    model = Model(chosen, TIMES, by_sent=by_sent, pollers=5, back_after=back_after)
    expected = model.run(arrivals.due_s.tolist())
    parameters = target(TIMES, by_sent=by_sent, back_after=back_after)
    found = simulate(chosen, parameters=parameters, arrivals=arrivals).tasks
    statuses = {"COMPLETED": Code.COMPLETED, "FAILED": Code.FAILED}

    assert [message.attempts for message in expected] == found["attempts"].tolist()
    assert [statuses[message.status] for message in expected] == found["status"].tolist()
    ends, starts = [message.ended for message in expected], [message.first_started for message in expected]
    np.testing.assert_allclose(found["updated"], ends, atol=1e-6)
    np.testing.assert_allclose(found["first_started"], starts, atol=1e-6)
