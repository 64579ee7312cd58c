"""A task's key is found by one path, whatever its message was delivered in."""

import base64
import json
from typing import Any

import pytest

from dlqlab.lineage.keys import content_hash, key_finder

ORDER = {"taskId": "t-1", "n": 1}
TEXT = json.dumps(ORDER)
SNS = {"Type": "Notification", "MessageId": "sns-1", "TopicArn": "arn:aws:sns:eu-central-1:1:t", "Message": TEXT}
EVENT = {"version": "0", "id": "e-1", "detail-type": "made", "source": "shop", "detail": ORDER}
REQUEST = {"httpMethod": "POST", "requestContext": {"stage": "dev"}, "body": TEXT, "isBase64Encoded": False}
ENVELOPES: dict[str, Any] = {
    "plain": ORDER,
    "sns": SNS,
    "eventbridge": EVENT,
    "eventbridge in sns": {**SNS, "Message": json.dumps(EVENT)},
    "api gateway": REQUEST,
    "api gateway, base64": {**REQUEST, "body": base64.b64encode(TEXT.encode()).decode(), "isBase64Encoded": True},
    "sns for a function": {"Records": [{"EventSource": "aws:sns", "Sns": SNS}]},
    "sqs for a function": {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(SNS)}]},
}


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=list(ENVELOPES))
def test_one_path_finds_the_key_in_every_envelope(envelope: Any) -> None:
    body = json.dumps(envelope)

    assert key_finder("taskId")(body) == "t-1"
    assert content_hash(body) == content_hash(TEXT)


def test_objects_of_s3_are_told_by_their_record() -> None:
    """One record is one task's; a notification of several has no key."""
    record = {"eventSource": "aws:s3", "s3": {"object": {"key": "in/a.csv"}}}
    key_of = key_finder("s3.object.key")

    assert key_of(json.dumps({"Records": [record]})) == "in/a.csv"
    assert key_of(json.dumps({**SNS, "Message": json.dumps({"Records": [record]})})) == "in/a.csv"
    assert key_of(json.dumps({"Records": [record, record]})) is None


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("order.id", '{"order": {"id": 17}}', "17"),
        ("order.id || id", '{"id": "x"}', "x"),
        ("id", json.dumps(EVENT), None),
        ("MessageId", json.dumps(SNS), None),
        ("taskId", "no JSON", None),
        ("taskId", '{"taskId": "cut in the mid', None),
        ("taskId", '{"taskId": ""}', None),
        ("taskId", '{"taskId": null}', None),
        ("taskId", '{"taskId": true}', None),
        ("taskId", '{"taskId": ["a"]}', None),
        ("taskId", '{"taskId": "[redacted]"}', None),
        ("join('-', [a, b])", '{"a": "x", "b": "y"}', "x-y"),
        ("join('-', [a, b])", '{"a": 1}', None),
        (None, TEXT, None),
    ],
)
def test_what_is_a_key(path: str | None, body: str, key: str | None) -> None:
    """A text or a number of the content, not of its envelope, and nothing that was taken out of the body."""
    assert key_finder(path, mask="[redacted]")(body) == key
