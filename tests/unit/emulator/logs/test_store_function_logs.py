"""Lines of functions reach the store whatever the clock and others do."""

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from localstack.services.logs.models import get_moto_logs_backend

from dlqlab.emulator.logs import intake, store_function_logs
from dlqlab.emulator.runtime.output import Line

ACCOUNT, REGION = "000000000000", "us-east-1"
HOUR_MS = 3_600_000
NOW_MS = 1_700_000_000_000


@pytest.fixture
def environment() -> Any:
    """What the store looks at of an execution environment."""
    group = f"/aws/lambda/{uuid.uuid4().hex[:8]}"
    return SimpleNamespace(
        function_version=SimpleNamespace(id=SimpleNamespace(account=ACCOUNT, region=REGION)),
        get_log_group_name=lambda: group,
        get_log_stream_name=lambda: "stream",
    )


def _stored(environment: Any) -> list[str]:
    intake.settle()
    group = get_moto_logs_backend(ACCOUNT, REGION).groups[environment.get_log_group_name()]
    return [event.message for event in group.streams["stream"].events]


def test_a_clock_that_is_set_loses_no_line(environment: Any) -> None:
    """Back or ahead, between two lines of one invocation, by more than PutLogEvents takes from others."""
    steps = (0, -1, 5 * HOUR_MS, -20 * 24 * HOUR_MS, 0)
    lines = [Line(NOW_MS + step, f"line {number}") for number, step in enumerate(steps)]
    store_function_logs.store(environment, lines, "request")

    assert [line.text for line in lines] == _stored(environment)


def test_lines_of_many_invocations_keep_their_order(environment: Any) -> None:
    """One after the other, as an environment runs them."""
    for number in range(200):
        store_function_logs.store(environment, [Line(NOW_MS, f"{number} a"), Line(NOW_MS, f"{number} b")], "request")

    assert [f"{number} {part}" for number in range(200) for part in "ab"] == _stored(environment)


def test_a_group_that_was_deleted_is_made_again(environment: Any) -> None:
    """As by Lambda at the next invocation."""
    store_function_logs.store(environment, [Line(NOW_MS, "before")], "request")
    intake.settle()
    get_moto_logs_backend(ACCOUNT, REGION).delete_log_group(environment.get_log_group_name())
    store_function_logs.store(environment, [Line(NOW_MS, "after")], "request")

    assert ["after"] == _stored(environment)


def test_the_invocation_of_the_lines_is_known_while_they_are_stored(
    environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only then, only there."""
    seen: list[str | None] = []
    original = store_function_logs._put

    def put(*args: Any) -> None:
        seen.append(intake.printed_by())
        original(*args)

    monkeypatch.setattr(store_function_logs, "_put", put)
    store_function_logs.store(environment, [Line(NOW_MS, "x")], "one")
    store_function_logs.store(environment, [Line(NOW_MS, "x")], None)
    intake.settle()

    assert ["one", None] == seen
    assert intake.printed_by() is None
