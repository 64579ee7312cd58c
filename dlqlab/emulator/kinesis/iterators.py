"""Shard iterators: opaque texts for a place in a shard, good for 5 minutes (GetShardIterator, API reference)."""

import base64
import binascii
import json
from dataclasses import dataclass

GOOD_S = 300


class ExpiredError(Exception):
    """It is older than 5 minutes."""


class IteratorError(ValueError):
    """A text is no shard iterator."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read on."""

    stream_arn: str
    shard_id: str
    number: int


def write(place: Place, now: float) -> str:
    text = json.dumps([place.stream_arn, place.shard_id, place.number, now])
    return base64.b64encode(text.encode()).decode()


def read(text: str, now: float) -> Place:
    """The place that an iterator stands for.

    Raises:
        ExpiredError, IteratorError: it is too old, or none.
    """
    try:
        arn, shard_id, number, made_ts = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, UnicodeDecodeError, ValueError, TypeError) as error:
        raise IteratorError(text) from error
    if now - made_ts > GOOD_S:
        raise ExpiredError(text)
    return Place(arn, shard_id, number)
