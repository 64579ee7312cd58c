"""The shards of a Kinesis stream and their records; no services.

Sources: "Amazon Kinesis Data Streams Terminology and concepts", "Reshard a stream" (developer guide) and PutRecord,
SplitShard, MergeShards, UpdateShardCount (API reference): the MD5 of the partition key chooses the shard whose range
holds it; a shard that is split or merged takes no more records and has children, which take those of its range from
then on. Here a stream is active as soon as it is created or changed.
"""

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dlqlab.emulator.core.record_log import RecordLog

HASH_MAX = 2**128 - 1
HOUR_S = 3600
RETENTION_H = 24
ON_DEMAND, PROVISIONED = "ON_DEMAND", "PROVISIONED"
ON_DEMAND_SHARDS = 4
"""What an on-demand stream begins with."""
RECORD_KIB = 1024
_FIRST = 4_900_000_000 * 10**46
_OF_SHARD = 10**22


class Throughput:
    """What a shard takes; everything, unless quotas are asked for."""

    admits: Callable[["Stream", "Shard", int], bool] = staticmethod(lambda _stream, _shard, _size_bytes: True)
    """Whether a record of that size may be written now."""


class ThroughputError(Exception):
    """A shard takes no more for now; its text is AWS's."""


class ReshardError(ValueError):
    """A shard cannot be split or merged so; its text is AWS's."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record."""

    number: int
    written_ts: float
    keys: str
    """The partition key."""
    data: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.data) + len(self.keys)


class Shard(RecordLog[Record]):
    """A shard. Its sequence numbers have 56 digits; those of later shards are higher."""

    def __init__(
        self,
        index: int,
        low: int,
        high: int,
        *,
        parents: tuple[str, ...] = (),
        created_ms: int,
        kept_s: float,
        now: Callable[[], float],
    ) -> None:
        """Args:
        low, high: the first and the last hash key.
        created_ms: when the stream was created: of two streams of one name the later has the higher numbers.
        """
        self.shard_id = f"shardId-{index:012}"
        super().__init__(self.shard_id, _FIRST + created_ms * 10**27 + index * _OF_SHARD, kept_s=kept_s, now=now)
        self.low, self.high, self.parents = low, high, parents
        self.created_ts = now()


@dataclass(slots=True, kw_only=True)
class Consumer:
    """A consumer with enhanced fan-out."""

    name: str
    arn: str
    created_ts: float


@dataclass(slots=True, kw_only=True)
class Settings:
    """What of a stream is only told."""

    mode: str
    tags: dict[str, str] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)
    encryption_key: str | None = None
    record_kib: int = RECORD_KIB
    consumers: dict[str, Consumer] = field(default_factory=dict)


class Stream:
    """A stream: written and read by any thread."""

    def __init__(self, arn: str, shards: int, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        self.arn, self.name, self.settings = arn, arn.rpartition("/")[2], settings
        self.created_ts = now()
        self.retention_h = RETENTION_H
        self._now = now
        self._lock = threading.RLock()
        self._shards: dict[str, Shard] = {}
        step = (HASH_MAX + 1) // shards
        for index in range(shards):
            self._open(index * step, HASH_MAX if index == shards - 1 else (index + 1) * step - 1)

    @property
    def shards(self) -> list[Shard]:
        """All, the oldest first."""
        with self._lock:
            return [*self._shards.values()]

    @property
    def open_shards(self) -> list[Shard]:
        """Those that take records, by their hash keys."""
        return sorted((one for one in self.shards if one.closed_ts is None), key=lambda shard: shard.low)

    def find(self, shard_id: str) -> Shard | None:
        return self._shards.get(shard_id)

    def children(self, shard_id: str) -> list[Shard]:
        return [one for one in self.shards if shard_id in one.parents]

    def put(self, data: bytes, partition_key: str, hash_key: int | None = None) -> tuple[Shard, Record]:
        """Write a record.

        Args:
            hash_key: in the place of that of the partition key.

        Raises:
            LookupError: the stream has been deleted.
            ThroughputError: the shard takes no more for now.
        """
        place = int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest())
        place = place if hash_key is None else hash_key
        with self._lock:  # so that no shard is closed between the choice and the writing
            for shard in self._shards.values():
                if shard.low <= place <= shard.high and shard.closed_ts is None:
                    self._check_throughput(shard, len(data) + len(partition_key.encode()))
                    made = shard.append(lambda number, now: Record(number, now, partition_key, data))
                    if made is not None:
                        return shard, made
        raise LookupError(self.arn)

    def _check_throughput(self, shard: Shard, size_bytes: int) -> None:
        if not Throughput.admits(self, shard, size_bytes):
            account = self.arn.split(":")[4]
            raise ThroughputError(
                f"Rate exceeded for shard {shard.shard_id} in stream {self.name} under account {account}."
            )

    def retain(self, hours: int) -> None:
        """Keep records for so long from now on, those that are there too."""
        self.retention_h = hours
        for shard in self.shards:
            shard.kept_s = hours * HOUR_S

    def split(self, shard_id: str, start: int) -> None:
        """Split a shard into one up to that hash key, and one from it on.

        Raises:
            ReshardError: it is closed, or the key does not lie within it.
        """
        with self._lock:
            shard = self._open_shard(shard_id)
            if not shard.low + 1 < start < shard.high:
                raise ReshardError(
                    f"NewStartingHashKey {start} used in SplitShard() on shard {shard_id} in stream {self.name} is not "
                    f"both greater than one plus the shard's StartingHashKey {shard.low} and less than the shard's "
                    f"EndingHashKey {shard.high - 1}."
                )
            shard_parents = (shard_id,)
            self._open(shard.low, start - 1, shard_parents)
            self._open(start, shard.high, shard_parents)
            shard.close()

    def merge(self, shard_id: str, adjacent_id: str) -> None:
        """Merge two shards whose hash keys follow each other.

        Raises:
            ReshardError: one is closed, or they do not.
        """
        with self._lock:
            one, other = self._open_shard(shard_id), self._open_shard(adjacent_id)
            if one.high + 1 != other.low and other.high + 1 != one.low:
                raise ReshardError(f"Shards {shard_id} and {adjacent_id} in stream {self.name} are not adjacent.")
            self._open(min(one.low, other.low), max(one.high, other.high), (shard_id, adjacent_id))
            one.close()
            other.close()

    def resize(self, target: int) -> None:
        """Have so many open shards: the widest are split, or the narrowest neighbours merged."""
        with self._lock:
            while (shards := self.open_shards) and len(shards) != target:
                if len(shards) < target:
                    widest = max(shards, key=lambda shard: shard.high - shard.low)
                    self.split(widest.shard_id, (widest.low + widest.high) // 2 + 1)
                else:
                    pair = min(itertools.pairwise(shards), key=lambda pair: pair[1].high - pair[0].low)
                    self.merge(pair[0].shard_id, pair[1].shard_id)

    def close(self) -> None:
        """The stream is deleted: who reads it comes to an end."""
        with self._lock:
            for shard in self._shards.values():
                if shard.closed_ts is None:
                    shard.close()

    def _open(self, low: int, high: int, parents: tuple[str, ...] = ()) -> None:
        shard = Shard(
            len(self._shards),
            low,
            high,
            parents=parents,
            created_ms=int(self.created_ts * 1000),
            kept_s=self.retention_h * HOUR_S,
            now=self._now,
        )
        self._shards[shard.shard_id] = shard

    def _open_shard(self, shard_id: str) -> Shard:
        shard = self._shards[shard_id]
        if shard.closed_ts is not None:
            raise ReshardError(
                f"Shard {shard_id} in stream {self.name} has already been merged or split, and thus is not eligible "
                "for merging or splitting."
            )
        return shard


class Streams:
    """All streams by ARN."""

    def __init__(self) -> None:
        self._by_arn: dict[str, Stream] = {}
        self._lock = threading.Lock()

    def add(self, stream: Stream) -> bool:
        """Whether there was none of that ARN, so that it has been added."""
        with self._lock:
            if stream.arn in self._by_arn:
                return False
            self._by_arn[stream.arn] = stream
            return True

    def remove(self, stream: Stream) -> None:
        with self._lock:
            self._by_arn.pop(stream.arn, None)
        stream.close()

    def find(self, arn: str) -> Stream | None:
        """By its ARN, or by that of one of its consumers."""
        return self._by_arn.get(arn.partition("/consumer/")[0])

    def __iter__(self) -> Iterator[Stream]:
        """In the order of their ARNs."""
        return iter([self._by_arn[arn] for arn in sorted(self._by_arn)])


STREAMS = Streams()
"""Those of this emulator."""
