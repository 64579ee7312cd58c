"""What SQS refuses of a queue's attributes and policies."""

import json
from typing import Any

import pytest

from dlqlab.emulator.sqs import queue_attributes
from dlqlab.emulator.sqs.queue_attributes import Place
from dlqlab.emulator.sqs.refusals import RefusedError

BASE = "arn:aws:sqs:eu-north-1:111111111111"
OWN = Place(arn=f"{BASE}:own", is_fifo=False)
FIFO = Place(arn=f"{BASE}:own.fifo", is_fifo=True)


def _allow(**policy: Any) -> str:
    return json.dumps(policy)


PLACES = {
    place.arn: place
    for place in (
        Place(arn=f"{BASE}:dead", is_fifo=False),
        Place(arn=f"{BASE}:dead.fifo", is_fifo=True),
        Place(arn=f"{BASE}:open", is_fifo=False, allow_policy=_allow(redrivePermission="allowAll")),
        Place(arn=f"{BASE}:closed", is_fifo=False, allow_policy=_allow(redrivePermission="denyAll")),
        Place(
            arn=f"{BASE}:own-only",
            is_fifo=False,
            allow_policy=_allow(redrivePermission="byQueue", sourceQueueArns=[OWN.arn]),
        ),
        Place(
            arn=f"{BASE}:others",
            is_fifo=False,
            allow_policy=_allow(redrivePermission="byQueue", sourceQueueArns=[FIFO.arn]),
        ),
    )
}


def _policy(target: str = f"{BASE}:dead", receives: object = 3, **more: object) -> dict[str, str]:
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": receives, **more})}


def _check(attributes: dict[str, str], own: Place = OWN) -> None:
    queue_attributes.check_values(attributes)
    queue_attributes.check_policies(attributes, own, PLACES.get)


@pytest.mark.parametrize(
    ("name", "low", "high"), [(name, *bounds) for name, bounds in queue_attributes.RANGES.items()], ids=str
)
def test_number_keeps_to_its_bounds(name: str, low: int, high: int) -> None:
    """Both bounds are allowed; one less, one more and no whole number are not."""
    for value in (low, high):
        _check({name: str(value)})
    for wrong in (str(low - 1), str(high + 1), "", "x", "1.0", f" {low}", "٣"):
        with pytest.raises(RefusedError) as raised:
            _check({name: wrong})
        expected = ("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
        assert expected == (raised.value.code, raised.value.text)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"Nope": "1"}, "InvalidAttributeName"),
        ({"QueueArn": "arn"}, "InvalidAttributeName"),
        ({"ApproximateNumberOfMessages": "1"}, "InvalidAttributeName"),
        ({"All": "1"}, "InvalidAttributeName"),
        ({"ContentBasedDeduplication": "maybe"}, "InvalidAttributeValue"),
        ({"DeduplicationScope": "all"}, "InvalidAttributeValue"),
        ({"FifoThroughputLimit": "none"}, "InvalidAttributeValue"),
        ({"SqsManagedSseEnabled": "1"}, "InvalidAttributeValue"),
    ],
    ids=str,
)
def test_attribute_is_refused(attributes: dict[str, str], code: str) -> None:
    """Names that cannot be set, and values that are none."""
    with pytest.raises(RefusedError) as raised:
        _check(attributes)

    assert code == raised.value.code


@pytest.mark.parametrize(
    ("attributes", "own"),
    [
        (_policy(), OWN),
        (_policy(receives="1"), OWN),
        (_policy(receives=1000), OWN),
        (_policy(f"{BASE}:dead.fifo"), FIFO),
        (_policy(f"{BASE}:open"), OWN),
        (_policy(f"{BASE}:own-only"), OWN),
        (_policy(OWN.arn), OWN),
        ({"RedrivePolicy": ""}, OWN),
        ({"RedriveAllowPolicy": ""}, OWN),
        ({"RedriveAllowPolicy": _allow(redrivePermission="allowAll")}, OWN),
        (
            {"RedriveAllowPolicy": _allow(redrivePermission="byQueue", sourceQueueArns=[f"a{n}" for n in range(10)])},
            OWN,
        ),
    ],
    ids=str,
)
def test_policy_is_taken(attributes: dict[str, str], own: Place) -> None:
    """A dead-letter queue of the same type that is there and allows it."""
    _check(attributes, own)


@pytest.mark.parametrize(
    ("attributes", "own", "expected"),
    [
        ({"RedrivePolicy": "nonsense"}, OWN, "not a valid JSON map"),
        ({"RedrivePolicy": "[1]"}, OWN, "not a valid JSON map"),
        ({"RedrivePolicy": "{}"}, OWN, "mandatory attribute: deadLetterTargetArn."),
        ({"RedrivePolicy": json.dumps({"deadLetterTargetArn": "x"})}, OWN, "mandatory attribute: maxReceiveCount."),
        (_policy(more=1), OWN, "Only following attributes are supported"),
        *((_policy(receives=wrong), OWN, "valid values are from 1 to 1000") for wrong in (0, 1001, -1, "x", 2.5, True)),
        (_policy("dead"), OWN, "should be fully qualified ARN."),
        (_policy("arn:aws:sqs:eu-north-1:222222222222:dead"), OWN, "owner should be same as the source."),
        (_policy("arn:aws:sqs:us-east-1:111111111111:dead"), OWN, "owner should be same as the source."),
        (_policy(f"{BASE}:missing"), OWN, "Dead letter target does not exist."),
        (_policy(f"{BASE}:dead.fifo"), OWN, "must be same type of queue as the source."),
        (_policy(f"{BASE}:dead"), FIFO, "must be same type of queue as the source."),
        (_policy(f"{BASE}:closed"), OWN, "does not permit this source queue."),
        (_policy(f"{BASE}:others"), OWN, "does not permit this source queue."),
        ({"RedriveAllowPolicy": "nonsense"}, OWN, "unsupported format"),
        ({"RedriveAllowPolicy": "{}"}, OWN, "unsupported format"),
        ({"RedriveAllowPolicy": _allow(redrivePermission="some")}, OWN, "unsupported format"),
        ({"RedriveAllowPolicy": _allow(redrivePermission="denyAll", other=1)}, OWN, "unsupported format"),
        ({"RedriveAllowPolicy": _allow(redrivePermission="byQueue", sourceQueueArns="a")}, OWN, "unsupported format"),
        ({"RedriveAllowPolicy": _allow(redrivePermission="byQueue")}, OWN, "one or more sourceQueueArns values."),
        ({"RedriveAllowPolicy": _allow(redrivePermission="byQueue", sourceQueueArns=[])}, OWN, "one or more"),
        ({"RedriveAllowPolicy": _allow(redrivePermission="denyAll", sourceQueueArns=["a"])}, OWN, "to byQueue."),
        (
            {"RedriveAllowPolicy": _allow(redrivePermission="byQueue", sourceQueueArns=[f"a{n}" for n in range(11)])},
            OWN,
            "you can specify is 10.",
        ),
    ],
)
def test_policy_is_refused(attributes: dict[str, str], own: Place, expected: str) -> None:
    """With the reason."""
    with pytest.raises(RefusedError) as raised:
        _check(attributes, own)

    assert "InvalidParameterValue" == raised.value.code
    assert expected in raised.value.text


@pytest.mark.parametrize("scope", [{}, {"DeduplicationScope": "queue"}])
def test_throughput_of_each_group_needs_deduplication_of_each_group(scope: dict[str, str]) -> None:
    """High throughput is refused where ids are compared across groups."""
    with pytest.raises(RefusedError, match="allowed only when DeduplicationScope is messageGroup") as refused:
        queue_attributes.check_throughput({"FifoThroughputLimit": "perMessageGroupId", **scope})
    assert refused.value.code == "InvalidAttributeValue"


@pytest.mark.parametrize("limit", ["perQueue", "perMessageGroupId"])
def test_groups_that_deduplicate_by_themselves_may_have_either_limit(limit: str) -> None:
    """The scope alone is no high throughput."""
    queue_attributes.check_throughput({"FifoThroughputLimit": limit, "DeduplicationScope": "messageGroup"})
