"""The history of alarms, filtered, ordered and in pages."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dlqlab.emulator.alarms.history import Wanted, action, configuration_update, page, state_update

TEN = datetime(2026, 1, 31, 10, tzinfo=UTC)


def _entry(number: int, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a",
        "AlarmType": "MetricAlarm",
        "HistoryItemType": "StateUpdate",
        "Timestamp": TEN + timedelta(minutes=number),
        "HistorySummary": str(number),
    } | more


HISTORY = [
    _entry(0, HistoryItemType="ConfigurationUpdate"),
    _entry(1),
    _entry(2, AlarmName="b"),
    _entry(3, AlarmType="CompositeAlarm"),
    _entry(4),
]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), "4210"),
        (Wanted(ascending=True), "0124"),
        (Wanted(alarm="a"), "410"),
        (Wanted(alarm="c"), ""),
        (Wanted(types=("CompositeAlarm",)), "3"),
        (Wanted(types=("CompositeAlarm", "MetricAlarm")), "43210"),
        (Wanted(item_type="StateUpdate"), "421"),
        (Wanted(start=TEN + timedelta(minutes=2)), "42"),
        (Wanted(end=TEN + timedelta(minutes=1)), "10"),
    ],
)
def test_entries_that_are_wanted(wanted: Wanted, expected: str) -> None:
    """Metric alarms where no type is asked for, newest first where no order is."""
    entries, token = page(HISTORY, wanted)

    assert (expected, None) == ("".join(entry["HistorySummary"] for entry in entries), token)


def test_pages_cover_all_once() -> None:
    """Each page but the last has a token for the next."""
    seen, token = "", None
    for _ in range(3):
        entries, token = page(HISTORY, Wanted(), limit=2, token=token)
        seen += "".join(entry["HistorySummary"] for entry in entries)
        if not token:
            break

    assert "4210" == seen


@pytest.mark.parametrize("token", ["x", "-1"])
def test_token_that_is_none_is_refused(token: str) -> None:
    """Instead of an arbitrary page."""
    with pytest.raises(ValueError, match=token):
        page(HISTORY, Wanted(), token=token)


def test_change_of_state_is_dated_by_itself() -> None:
    """The entry has the time of the change and what the old state rested on."""
    data = {"oldState": {"stateValue": "OK"}, "newState": {"stateValue": "ALARM", "stateReasonData": None}}
    entry = state_update({"StateUpdatedTimestamp": TEN}, _entry(-5, HistoryData=json.dumps(data)), '{"threshold": 1}')

    assert TEN == entry["Timestamp"]
    assert {
        "oldState": {"stateValue": "OK", "stateReasonData": {"threshold": 1}},
        "newState": {"stateValue": "ALARM"},
    } == json.loads(entry["HistoryData"])


@pytest.mark.parametrize(("kind", "past"), [("Create", "created"), ("Update", "updated"), ("Delete", "deleted")])
def test_change_of_settings_is_named(kind: str, past: str) -> None:
    """The summary names alarm and change, the data the settings."""
    entry = configuration_update({"AlarmName": "a", "Threshold": 1.0, "OKActions": []}, kind, TEN, is_metric=True)

    assert (f'Alarm "a" {past}', "ConfigurationUpdate", TEN) == (
        entry["HistorySummary"],
        entry["HistoryItemType"],
        entry["Timestamp"],
    )
    assert {
        "version": "1.0",
        "type": kind,
        f"{past}Alarm": {"alarmName": "a", "threshold": 1.0, "okactions": []},
    } == json.loads(entry["HistoryData"])


@pytest.mark.parametrize(
    ("error", "summary", "state"),
    [(None, "Successfully executed action arn", "Succeeded"), ("gone", "Failed to execute action arn", "Failed")],
)
def test_action_is_named_with_its_outcome(error: str | None, summary: str, state: str) -> None:
    """Whether it was taken, and what went wrong."""
    entry = action({"AlarmName": "a", "StateUpdatedTimestamp": TEN}, "arn", TEN, is_metric=True, error=error)
    data = json.loads(entry["HistoryData"])

    assert ("Action", summary) == (entry["HistoryItemType"], entry["HistorySummary"])
    assert (state, error) == (data["actionState"], data["error"])
