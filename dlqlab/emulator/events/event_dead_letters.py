"""An event that EventBridge cannot deliver goes to the target's dead-letter queue, with AWS's attributes.

LocalStack drops it with a line in its log. AWS tries some errors again for up to 24 hours before; here an event is a
dead letter after the first.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.events.target import TargetSender
from localstack.services.events.utils import to_json_str
from localstack.utils.aws.arns import parse_arn, sqs_queue_url_for_arn
from localstack.utils.aws.client_types import ServicePrincipal

from dlqlab.emulator.events import failures

_LOG = logging.getLogger(__name__)


def patch() -> None:
    TargetSender.process_event = _buried(TargetSender.process_event)


def _buried(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def process_event(self: TargetSender, event: Any, trace_header: Any) -> None:
        # The event as the rule matched it: the original takes members out, and makes the target's input of it.
        whole = {name: value for name, value in event.items() if name != "event-bus-name"}
        try:
            original(self, event, trace_header)
        except Exception as error:
            if queue_arn := (self.target.get("DeadLetterConfig") or {}).get("Arn"):
                _bury(self, queue_arn, whole, error)
            raise

    return process_event


def _bury(sender: TargetSender, queue_arn: str, event: Any, error: Exception) -> None:
    try:
        queue = parse_arn(queue_arn)
        client = connect_to(aws_access_key_id=queue["account"], region_name=queue["region"]).sqs
        client.request_metadata(service_principal=ServicePrincipal.events, source_arn=sender.rule_arn).send_message(
            QueueUrl=sqs_queue_url_for_arn(queue_arn),
            MessageBody=to_json_str(event),
            MessageAttributes=failures.attributes(
                rule_arn=sender.rule_arn, target_arn=sender.target["Arn"], error=error
            ),
        )
    except Exception:  # noqa: BLE001  (as on AWS: that the dead letter is lost too is told, and changes nothing else)
        _LOG.exception("event of rule %s is lost: its dead-letter queue %s takes none", sender.rule_arn, queue_arn)
