"""Waiters of another program look often, and give up no sooner."""

import pytest
from botocore.loaders import Loader
from botocore.waiter import SingleWaiterConfig, WaiterModel

from dlqlab.deploy.waiters import LOOK_S, look_often


def test_waiter_looks_often_for_as_long_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's waiter for an updated function, as Chalice uses it."""
    monkeypatch.setattr(SingleWaiterConfig, "__init__", SingleWaiterConfig.__init__)  # taken back at the end
    model = WaiterModel(Loader().load_service_model("lambda", "waiters-2"))
    before = model.get_waiter("FunctionUpdated")
    look_often()
    after = model.get_waiter("FunctionUpdated")

    assert before.delay > LOOK_S == after.delay
    assert after.delay * after.max_attempts == pytest.approx(before.delay * before.max_attempts)
