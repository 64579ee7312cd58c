"""What a pipeline leaves behind, read once its queues are at rest. Nothing is received from a queue: what is left there
is known from the record, so that looking changes no receive count.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.collect.table import scan
from dlqlab.contracts.end_state import EndState, Item, values_of
from dlqlab.contracts.places import BUCKET, QUEUE, TABLE
from dlqlab.contracts.recorded import ENTERS, LEAVES
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.topology import Topology
from dlqlab.errors import EvidenceError
from dlqlab.lineage.contents import content_of

ITEMS_MAX = 200_000
"""Of one place; a larger one is said to be unread."""
PARSED_MAX_BYTES = 1 << 20
"""An object over this is known by the hash of its content alone."""

type Clients = Callable[[str], Any]
type Places = Iterator[tuple[str, Callable[[], Iterable[Item]]]]
"""Names, each with what reads its items."""


def collect_end_state(
    clients: Clients,
    topology: Topology,
    recording: Recording | None,
    *,
    chosen: Sequence[str] = (),
    since_ts: float = 0.0,
) -> EndState:
    """What is left in tables, buckets and queues.

    Args:
        clients: of the target, by the name of a service.
        topology: of the pipeline: its queues.
        recording: what is left in queues is known from it.
        chosen: places (``dynamodb orders``), by a part of their names; empty: all that there are.
        since_ts: objects that were written before are what the pipeline was deployed with, and left out.
    """
    places: dict[str, tuple[Item, ...]] = {}
    unread: list[str] = []
    readers: dict[str, Callable[[], Places]] = {
        TABLE: lambda: _tables(clients("dynamodb")),
        BUCKET: lambda: _buckets(clients("s3"), since_ts),
        QUEUE: lambda: _queues(topology, recording),
    }
    for kind, read in readers.items():
        try:
            for name, items in read():
                if is_chosen(f"{kind} {name}", chosen):
                    places[f"{kind} {name}"] = tuple(_bounded(items(), name))
        except (ClientError, BotoCoreError, EvidenceError) as error:
            unread.append(f"{kind}: {error}")
    return EndState(places=places, unread=(*unread, *_not_there(places, chosen)))


def is_chosen(place: str, chosen: Collection[str]) -> bool:
    """Whether a place is one of those, each of which gives the kind and the name or a part of it."""
    kind, _, name = place.partition(" ")
    return not chosen or any(
        kind == wanted and part in name for wanted, _, part in (each.partition(" ") for each in chosen)
    )


def table_items(dynamodb: Any, name: str) -> Iterator[Item]:
    """The items of a table, read consistently.

    Raises:
        EvidenceError: it cannot be read.
    """
    try:
        schema = dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
    except (ClientError, BotoCoreError) as error:
        raise EvidenceError(f"table {name}: {error}") from error
    names = [key["AttributeName"] for key in sorted(schema, key=lambda key: str(key["KeyType"]))]  # HASH, then RANGE
    for typed in scan(dynamodb, name):
        item = {attribute: _plain(value) for attribute, value in typed.items()}
        yield Item(key="/".join(_as_key(item[attribute]) for attribute in names), values=dict(values_of(item)))


def left_in_queues(recording: Recording, names: Collection[str]) -> Mapping[str, tuple[Item, ...]]:
    """The messages that are still in these queues at the end of a record, by the queue's name.

    Raises:
        EvidenceError: the body of one was not kept.
    """
    there: dict[tuple[str, str], str] = {}
    for row in recording.messages.select(["queue", "kind", "message_id", "body_sha256"]).to_pylist():
        place = (row["queue"].rpartition(":")[2], row["message_id"])
        if row["kind"] in ENTERS:
            there[place] = row["body_sha256"]
        elif row["kind"] in LEAVES:
            there.pop(place, None)
    bodies = {row["body_sha256"]: row["body"] for row in recording.bodies.select(["body_sha256", "body"]).to_pylist()}
    found: dict[str, list[Item]] = {name: [] for name in names}
    for (queue, message_id), digest in there.items():
        if queue in found:
            if digest not in bodies:
                raise EvidenceError(f"the body of message {message_id} in {queue} was not kept")
            found[queue].append(Item(key="", values=dict(values_of(content_of(bodies[digest])))))
    return {queue: tuple(items) for queue, items in found.items()}


def _tables(dynamodb: Any) -> Places:
    for page in dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            yield name, partial(table_items, dynamodb, name)


def _buckets(s3: Any, since_ts: float) -> Places:
    for bucket in s3.list_buckets().get("Buckets", ()):
        yield bucket["Name"], partial(_objects, s3, bucket["Name"], since_ts)


def _objects(s3: Any, bucket: str, since_ts: float) -> Iterator[Item]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", ()):
            if found["LastModified"].timestamp() >= int(since_ts):  # S3 tells whole seconds
                yield _object(s3, bucket, found["Key"], found["Size"])


def _object(s3: Any, bucket: str, key: str, size: int) -> Item:
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        value = json.loads(content) if size <= PARSED_MAX_BYTES else None
    except ValueError:
        value = None
    if not isinstance(value, dict | list):
        value = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": size}
    return Item(key=key, values=dict(values_of(value)))


def _queues(topology: Topology, recording: Recording | None) -> Places:
    if recording is None:
        raise EvidenceError("what is left in queues is not known: nothing was recorded")
    for name, items in left_in_queues(recording, topology.queue_names.values()).items():
        yield name, partial(tuple, items)


def _bounded(items: Iterable[Item], name: str) -> Iterator[Item]:
    for n, item in enumerate(items):
        if n >= ITEMS_MAX:
            raise EvidenceError(f"{name} holds more than {ITEMS_MAX:,} items, which is more than are compared")
        yield item


def _not_there(places: Mapping[str, object], chosen: Sequence[str]) -> list[str]:
    known = ", ".join(places) or "none"
    return [
        f"effects.compare holds {each!r}: there is no such place; there are {known}"
        for each in chosen
        if not any(is_chosen(place, (each,)) for place in places)
    ]


def _plain(typed: Mapping[str, Any]) -> Any:
    """A value of DynamoDB as JSON has it; sets in order, binaries by their hash, numbers as numbers."""
    ((kind, value),) = typed.items()
    if kind == "M":
        return {name: _plain(inner) for name, inner in value.items()}
    return _PLAIN[kind](value) if kind in _PLAIN else value


def _hashes(value: bytes | Sequence[bytes]) -> list[str]:
    several = [value] if isinstance(value, bytes) else value
    return sorted(f"sha256:{hashlib.sha256(one).hexdigest()}" for one in several)


def _number(text: str) -> int | float | str:
    """A number; as text where no float is exactly it: two of 38 digits must not become the same."""
    value = Decimal(text)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _as_key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "L": lambda several: [_plain(one) for one in several],
    "N": _number,
    "NS": lambda several: sorted(map(_number, several), key=str),
    "SS": sorted,
    "B": _hashes,
    "BS": _hashes,
    "NULL": lambda _: None,
}
