"""On-failure destinations of mappings: queues and topics.

"Capturing discarded batches" (AWS Lambda developer guide); buckets and Kafka topics, which it names too, are refused.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from localstack.aws.connect import connect_to
from localstack.utils.aws.arns import parse_arn, sqs_queue_url_for_arn

_LOG = logging.getLogger(__name__)


def send(target_arn: str, document: Mapping[str, Any], *, principal: str, source_arn: str) -> None:
    """Send the document; that it cannot be sent is told in the emulator's log and changes nothing else.

    Args:
        principal: the service that sends it.
        source_arn: on whose behalf.
    """
    try:
        target, text = parse_arn(target_arn), json.dumps(document)
        clients = connect_to(aws_access_key_id=target["account"], region_name=target["region"])
        who = {"service_principal": principal, "source_arn": source_arn}
        if target["service"] == "sqs":
            clients.sqs.request_metadata(**who).send_message(
                QueueUrl=sqs_queue_url_for_arn(target_arn), MessageBody=text
            )
        else:
            clients.sns.request_metadata(**who).publish(TopicArn=target_arn, Message=text)
    except Exception:  # noqa: BLE001  (whatever it is about the destination, the stream goes on)
        _LOG.exception("what %s gave up is told to nobody: %s takes nothing", source_arn, target_arn)
