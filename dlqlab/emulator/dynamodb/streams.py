"""The records of a DynamoDB stream, in the order of the writes; no services, no moto.

Sources: "Change data capture for DynamoDB Streams" (developer guide) and StreamRecord, GetShardIterator, GetRecords
(DynamoDB Streams API reference): a record is kept for 24 hours, an iterator is good for 15 minutes, a write that
changes nothing makes no record. A stream here is one shard, which ends with the stream.
"""

import base64
import binascii
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.core.record_log import RecordLog

KEPT_S = 24 * 3600
ITERATOR_S = 15 * 60
FIRST = 100_000_000_000_000_000_000
"""The first sequence number: they have 21 digits at least."""
WITH_NEW = frozenset({"NEW_IMAGE", "NEW_AND_OLD_IMAGES"})
WITH_OLD = frozenset({"OLD_IMAGE", "NEW_AND_OLD_IMAGES"})
VIEWS = WITH_NEW | WITH_OLD | {"KEYS_ONLY"}

BY_EXPIRY: Mapping[str, str] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""The userIdentity of a deletion by TTL, as functions see it ("DynamoDB Streams and Time to Live")."""

type Image = Mapping[str, Any]
"""Attributes in DynamoDB's JSON."""


class ExpiredError(Exception):
    """An iterator is older than 15 minutes."""


class IteratorError(ValueError):
    """A text is no iterator of a stream."""


@dataclass(frozen=True, slots=True)
class Record:
    """One change of an item. ``text`` is JSON: eventID, eventName, dynamodb with the number and the images; of an item
    that has expired userIdentity too.
    """

    number: int
    written_ts: float
    keys: str
    """The item's key as text, equal for each change of the same item."""
    text: str

    @property
    def size_bytes(self) -> int:
        return len(self.text)

    def document(self) -> dict[str, Any]:
        """The record as a new object."""
        found: dict[str, Any] = json.loads(self.text)
        return found


def event_name(old: Image | None, new: Image | None) -> str | None:
    """INSERT, MODIFY or REMOVE; None where nothing has changed."""
    if old == new:
        return None
    if old is None:
        return "INSERT"
    return "REMOVE" if new is None else "MODIFY"


class Stream(RecordLog[Record]):
    """A stream: written under the table's lock, read by any thread."""

    def __init__(self, arn: str, view: str, key_schema: list[dict[str, str]], *, now: Callable[[], float]) -> None:
        """Args:
        view: the StreamViewType.
        """
        super().__init__(arn, FIRST, kept_s=KEPT_S, now=now)
        self.arn, self.view, self.key_schema = arn, view, key_schema
        self.table, _, self.label = arn.rpartition(":table/")[2].partition("/stream/")
        self.created_ts = now()
        self.shard_id = f"shardId-{int(self.created_ts * 1000):020}-{uuid.uuid4().hex[:8]}"

    def add(
        self, keys: Image, old: Image | None, new: Image | None, size_bytes: int, *, has_expired: bool = False
    ) -> None:
        """Write down a change, if it is one."""
        name = event_name(old, new)
        if name is None:
            return
        change: dict[str, Any] = {"Keys": keys}
        if new is not None and self.view in WITH_NEW:
            change["NewImage"] = new
        if old is not None and self.view in WITH_OLD:
            change["OldImage"] = old
        by = {"userIdentity": BY_EXPIRY} if has_expired else {}

        def make(number: int, now: float) -> Record:
            told = {
                "ApproximateCreationDateTime": float(int(now)),
                **change,
                "SequenceNumber": str(number),
                "SizeBytes": size_bytes,
                "StreamViewType": self.view,
            }
            made = {"eventID": uuid.uuid4().hex, "eventName": name, "dynamodb": told, **by}
            return Record(number, now, json.dumps(keys, sort_keys=True), json.dumps(made, separators=(",", ":")))

        self.append(make)

    def iterator(self, number: int) -> str:
        """An opaque text for GetRecords."""
        place = f"{number}/{self._now()}".encode()
        return f"{self.arn}|1|{base64.urlsafe_b64encode(place).decode()}"

    def place(self, iterator: str) -> int:
        """The number that an iterator stands for.

        Raises:
            ExpiredError, IteratorError: it is too old, or none.
        """
        try:
            number, _, made_ts = base64.urlsafe_b64decode(iterator.rpartition("|")[2]).decode().partition("/")
            if self._now() - float(made_ts) > ITERATOR_S:
                raise ExpiredError(iterator)
            return int(number)
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise IteratorError(iterator) from error


class Streams:
    """All streams by ARN; one that is closed is forgotten when its last record is trimmed."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._by_arn: dict[str, Stream] = {}

    def open(self, arn: str, view: str, key_schema: list[dict[str, str]]) -> Stream:
        """A new stream."""
        for closed in [one for one in self if one.closed_ts is not None and self._now() - one.closed_ts > KEPT_S]:
            del self._by_arn[closed.arn]
        made = self._by_arn[arn] = Stream(arn, view, key_schema, now=self._now)
        return made

    def find(self, arn: str) -> Stream | None:
        return self._by_arn.get(arn)

    def __iter__(self) -> Iterator[Stream]:
        """In the order of their ARNs."""
        return iter([self._by_arn[arn] for arn in sorted(self._by_arn)])


STREAMS = Streams()
"""Those of this emulator."""
