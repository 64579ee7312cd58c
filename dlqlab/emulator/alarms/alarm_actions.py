"""An alarm's actions are taken one by one after its state has changed, and one that fails changes nothing else.

In LocalStack an action whose function or topic is gone makes SetAlarmState, or the alarm's evaluation, fail with a
500, skips the actions after it, and all alarms wait while a function runs.
"""

import functools
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.cloudwatch import provider_v2
from localstack.services.cloudwatch.models import LocalStackMetricAlarm
from localstack.services.cloudwatch.provider_v2 import _STORE_LOCK, CloudwatchProvider
from localstack.utils.aws import arns

from dlqlab.emulator.alarms import history

_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_LOG = logging.getLogger(__name__)


def patch() -> None:
    CloudwatchProvider.set_alarm_state = _with_actions(CloudwatchProvider.set_alarm_state)


def _with_actions(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def set_alarm_state(self: Any, context: Any, alarm_name: str, state_value: str, *rest: Any, **more: Any) -> Any:
        store = self.get_store(context.account_id, context.region)
        arn = arns.cloudwatch_alarm_arn(alarm_name, account_id=context.account_id, region_name=context.region)
        with _STORE_LOCK:
            alarm = store.alarms.get(arn)
            before = dict(alarm.alarm) if alarm else {}
            if alarm:
                alarm.alarm["ActionsEnabled"] = False  # ours come after the lock
            try:
                result = original(self, context, alarm_name, state_value, *rest, **more)
            finally:
                if alarm:
                    alarm.alarm["ActionsEnabled"] = before["ActionsEnabled"]
        if alarm and before["ActionsEnabled"] and before["StateValue"] != state_value:
            for action in alarm.alarm[_ACTIONS[state_value]]:
                entry = history.action(
                    alarm.alarm,
                    action,
                    datetime.now(UTC),
                    is_metric=isinstance(alarm, LocalStackMetricAlarm),
                    error=_take(action, alarm, before),
                )
                with _STORE_LOCK:
                    store.histories.append(entry)
        return result

    return set_alarm_state


def _take(action: str, alarm: Any, before: dict[str, Any]) -> str | None:
    """Take the action; returns what went wrong."""
    try:
        return _send(action, alarm, before)
    except Exception as error:  # noqa: BLE001  (it is told in the alarm's history, as on AWS)
        _LOG.warning("action %s of alarm %s failed: %s", action, alarm.alarm["AlarmName"], error)
        return str(error)


def _send(action: str, alarm: Any, before: dict[str, Any]) -> str | None:
    target = arns.parse_arn(action)
    clients = connect_to(region_name=target["region"], aws_access_key_id=target["account"])
    name, state = alarm.alarm["AlarmName"], alarm.alarm["StateValue"]
    if target["service"] == "sns":
        message = provider_v2.create_message_response_update_state_sns(alarm, before["StateValue"])
        clients.sns.publish(TopicArn=action, Subject=f'{state}: "{name}" in {alarm.region}', Message=message)
    elif target["service"] == "lambda":
        payload = provider_v2.create_message_response_update_state_lambda(
            alarm, before["StateValue"], before["StateReason"], before["StateUpdatedTimestamp"]
        )
        clients.lambda_.invoke(FunctionName=action, Payload=payload, InvocationType="Event")
    else:
        return f"actions of {target['service']} are not taken by the emulator"
    return None
