"""DescribeAlarmHistory tells each change of an alarm at its time, newest first; an update keeps the alarm's state.

LocalStack dates a change by the one before, ignores what kind is asked for, fails on a start or an end, knows nothing
of alarms that were made, changed or removed, and forgets an alarm's state when its settings change.
"""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localstack.aws.api.cloudwatch import DescribeAlarmHistoryOutput, InvalidNextToken
from localstack.services.cloudwatch.models import LocalStackMetricAlarm
from localstack.services.cloudwatch.provider_v2 import _STORE_LOCK, CloudwatchProvider
from localstack.utils.aws import arns

from dlqlab.emulator.alarms import history

_STATE = ("StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp")


def patch() -> None:
    provider = CloudwatchProvider
    provider._update_state = _dated(provider._update_state)
    provider.put_metric_alarm = _kept(provider.put_metric_alarm)
    provider.put_composite_alarm = _kept(provider.put_composite_alarm)
    provider.delete_alarms = _told(provider.delete_alarms)
    provider.describe_alarm_history = functools.wraps(provider.describe_alarm_history)(_describe)


def _dated(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def update_state(self: Any, context: Any, alarm: Any, *change: Any, **more: Any) -> None:
        old_data = alarm.alarm.get("StateReasonData")
        original(self, context, alarm, *change, **more)
        alarm.alarm["StateUpdatedTimestamp"] = datetime.now(UTC)
        histories = self.get_store(context.account_id, context.region).histories
        histories[-1] = history.state_update(alarm.alarm, histories[-1], old_data)

    return update_state


def _kept(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def put_alarm(self: Any, context: Any, request: Any) -> Any:
        old = _find(self, context, request["AlarmName"])
        state = {name: old.alarm[name] for name in _STATE if name in old.alarm} if old else {}
        result = original(self, context, request)
        if new := _find(self, context, request["AlarmName"]):
            new.alarm.update(state)
            _tell(self, context, new, "Update" if old else "Create")
        return result

    return put_alarm


def _told(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def delete_alarms(self: Any, context: Any, alarm_names: list[str], **more: Any) -> Any:
        gone = [alarm for name in alarm_names if (alarm := _find(self, context, name))]
        result = original(self, context, alarm_names, **more)
        for alarm in gone:
            _tell(self, context, alarm, "Delete")
        return result

    return delete_alarms


def _find(provider: Any, context: Any, name: str) -> Any:
    arn = arns.cloudwatch_alarm_arn(name, account_id=context.account_id, region_name=context.region)
    return provider.get_store(context.account_id, context.region).alarms.get(arn)


def _tell(provider: Any, context: Any, alarm: Any, kind: str) -> None:
    is_metric = isinstance(alarm, LocalStackMetricAlarm)
    entry = history.configuration_update(alarm.alarm, kind, datetime.now(UTC), is_metric=is_metric)
    with _STORE_LOCK:  # under which a change of state is written
        provider.get_store(context.account_id, context.region).histories.append(entry)


def _describe(self: Any, context: Any, **asked: Any) -> Any:
    wanted = history.Wanted(
        alarm=asked.get("alarm_name"),
        types=asked.get("alarm_types") or (history.METRIC_ALARM,),
        item_type=asked.get("history_item_type"),
        start=_aware(asked.get("start_date")),
        end=_aware(asked.get("end_date")),
        ascending=asked.get("scan_by") == "TimestampAscending",
    )
    kept = self.get_store(context.account_id, context.region).histories
    limit = asked.get("max_records") or history.RECORDS_MAX
    try:
        entries, token = history.page(kept, wanted, limit=limit, token=asked.get("next_token"))
    except ValueError as error:
        raise InvalidNextToken(f"NextToken {asked['next_token']} is none of this operation") from error
    return DescribeAlarmHistoryOutput(AlarmHistoryItems=entries, **({"NextToken": token} if token else {}))


def _aware(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
