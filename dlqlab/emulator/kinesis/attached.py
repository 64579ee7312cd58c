"""Operations on what streams have: tags, and consumers with enhanced fan-out (Kinesis API reference)."""

import time
from datetime import UTC, datetime
from typing import Any

from dlqlab.emulator.kinesis.finding import IN_USE, NOT_FOUND, Answer, Request, refused, stream_of
from dlqlab.emulator.kinesis.streams import Consumer, Stream


def add_tags(context: Any, request: Request) -> Answer:
    """AddTagsToStream, TagResource."""
    stream_of(context, request).settings.tags.update(request["Tags"])
    return {}


def remove_tags(context: Any, request: Request) -> Answer:
    """RemoveTagsFromStream, UntagResource."""
    tags = stream_of(context, request).settings.tags
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags(context: Any, request: Request) -> Answer:
    """ListTagsForStream."""
    after = request.get("ExclusiveStartTagKey") or ""
    left = [one for one in _tags(stream_of(context, request)) if one["Key"] > after]
    told = left[: request.get("Limit") or len(left)]
    return {"Tags": told, "HasMoreTags": len(told) < len(left)}


def list_tags_of_resource(context: Any, request: Request) -> Answer:
    """ListTagsForResource."""
    return {"Tags": _tags(stream_of(context, request))}


def _tags(stream: Stream) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(stream.settings.tags.items())]


def register_consumer(context: Any, request: Request) -> Answer:
    """RegisterStreamConsumer."""
    stream, name = stream_of(context, request), request["ConsumerName"]
    if name in stream.settings.consumers:
        account = stream.arn.split(":")[4]
        raise refused(IN_USE, f"Consumer {name} of stream {stream.name} under account {account} already exists.")
    now = time.time()
    made = Consumer(name=name, arn=f"{stream.arn}/consumer/{name}:{int(now)}", created_ts=now)
    stream.settings.consumers[name] = made
    return {"Consumer": _shown(made)}


def deregister_consumer(context: Any, request: Request) -> Answer:
    """DeregisterStreamConsumer."""
    stream, consumer = _consumer(context, request)
    stream.settings.consumers.pop(consumer.name, None)
    return {}


def describe_consumer(context: Any, request: Request) -> Answer:
    """DescribeStreamConsumer."""
    stream, consumer = _consumer(context, request)
    return {"ConsumerDescription": _shown(consumer) | {"StreamARN": stream.arn}}


def list_consumers(context: Any, request: Request) -> Answer:
    """ListStreamConsumers."""
    consumers, after = stream_of(context, request).settings.consumers, request.get("NextToken") or ""
    left = [consumers[name] for name in sorted(consumers) if name > after]
    told = left[: request.get("MaxResults") or len(left)]
    answer: Answer = {"Consumers": [_shown(one) for one in told]}
    return answer | ({"NextToken": told[-1].name} if len(told) < len(left) else {})


def _consumer(context: Any, request: Request) -> tuple[Stream, Consumer]:
    arn = request.get("ConsumerARN")
    stream = stream_of(context, {"StreamARN": arn or request.get("StreamARN")})
    for one in stream.settings.consumers.values():
        if one.arn == arn or (arn is None and one.name == request.get("ConsumerName")):
            return stream, one
    account = stream.arn.split(":")[4]
    raise refused(NOT_FOUND, f"Consumer {arn or request.get('ConsumerName')} under account {account} not found.")


def _shown(consumer: Consumer) -> Answer:
    return {
        "ConsumerName": consumer.name,
        "ConsumerARN": consumer.arn,
        "ConsumerStatus": "ACTIVE",
        "ConsumerCreationTimestamp": datetime.fromtimestamp(int(consumer.created_ts), UTC),
    }
