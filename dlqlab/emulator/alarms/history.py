"""The history of alarms as CloudWatch tells it. Pure: entries in, a page of them out.

Source: API reference of DescribeAlarmHistory.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

RECORDS_MAX = 100
METRIC_ALARM = "MetricAlarm"
VERSION = "1.0"

Entry = Mapping[str, Any]
"""An AlarmHistoryItem; the newest stands last among those that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a caller asks for."""

    alarm: str | None = None
    types: Sequence[str] = (METRIC_ALARM,)
    item_type: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    ascending: bool = False

    def holds(self, entry: Entry) -> bool:
        """Whether this entry is one of them."""
        return (
            (self.alarm is None or entry["AlarmName"] == self.alarm)
            and entry["AlarmType"] in self.types
            and (self.item_type is None or entry["HistoryItemType"] == self.item_type)
            and (self.start is None or entry["Timestamp"] >= self.start)
            and (self.end is None or entry["Timestamp"] <= self.end)
        )


def page(
    history: Sequence[Entry], wanted: Wanted, *, limit: int = RECORDS_MAX, token: str | None = None
) -> tuple[list[Entry], str | None]:
    """The entries that are wanted, newest first unless told otherwise, and the token of the next page.

    Raises:
        ValueError: the token is none of ours.
    """
    found = [entry for entry in history if wanted.holds(entry)]
    if not wanted.ascending:
        found.reverse()
    start = int(token) if token else 0
    if start < 0:
        raise ValueError(token)
    end = start + limit
    return found[start:end], str(end) if end < len(found) else None


def state_update(alarm: Mapping[str, Any], entry: Entry, old_reason_data: str | None) -> dict[str, Any]:
    """LocalStack's entry of a change of state, dated by the change, with the data of both states."""
    data = json.loads(entry["HistoryData"])
    if old_reason_data:
        data["oldState"]["stateReasonData"] = json.loads(old_reason_data)
    data["newState"] = {name: value for name, value in data["newState"].items() if value is not None}
    return {**entry, "Timestamp": alarm["StateUpdatedTimestamp"], "HistoryData": json.dumps(data)}


def configuration_update(alarm: Mapping[str, Any], kind: str, at: datetime, *, is_metric: bool) -> dict[str, Any]:
    """The entry of an alarm that was made, changed or removed.

    Args:
        kind: ``Create``, ``Update`` or ``Delete``.
    """
    settings = {_json_name(key): value for key, value in alarm.items()}
    data = {"version": VERSION, "type": kind, f"{_PAST[kind]}Alarm": settings}
    summary = f'Alarm "{alarm["AlarmName"]}" {_PAST[kind]}'
    return _item(alarm, "ConfigurationUpdate", summary, data, at, is_metric=is_metric)


def action(alarm: Mapping[str, Any], arn: str, at: datetime, *, is_metric: bool, error: str | None) -> dict[str, Any]:
    """The entry of an action that was taken, or that failed."""
    data = {
        "actionState": "Failed" if error else "Succeeded",
        "stateUpdateTimestamp": int(alarm["StateUpdatedTimestamp"].timestamp() * 1000),
        "notificationResource": arn,
        "publishedMessage": None,
        "error": error,
    }
    summary = f"Failed to execute action {arn}" if error else f"Successfully executed action {arn}"
    return _item(alarm, "Action", summary, data, at, is_metric=is_metric)


def _item(
    alarm: Mapping[str, Any], kind: str, summary: str, data: Mapping[str, Any], at: datetime, *, is_metric: bool
) -> dict[str, Any]:
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmType": METRIC_ALARM if is_metric else "CompositeAlarm",
        "Timestamp": at,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps(data, default=str),
    }


def _json_name(member: str) -> str:
    return "okactions" if member == "OKActions" else member[:1].lower() + member[1:]


_PAST = {"Create": "created", "Update": "updated", "Delete": "deleted"}
