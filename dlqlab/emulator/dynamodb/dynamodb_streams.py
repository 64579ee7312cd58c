"""DynamoDB Streams: what changes in a table with a stream can be read for 24 hours, by API and by mappings.

LocalStack's own service reads a Kinesis server that it would have to download. A table without a stream has no part in
this.
"""

import time
from typing import Any

from localstack.services.plugins import Service
from localstack.utils.patch import patch as replace
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models import table as tables
from moto.dynamodb.models.table import Table

from dlqlab.emulator.core.own_services import serve
from dlqlab.emulator.dynamodb.streams import STREAMS, VIEWS
from dlqlab.emulator.dynamodb.tables import attributes_of
from dlqlab.emulator.dynamodb.values import item_size, write, write_map

NAME = "dynamodbstreams"


class Shard:
    """In the place of moto's: passes the changes of a table on to its stream."""

    def __init__(self, _account_id: str, table: Table) -> None:
        now = time.time()
        label = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}"
        table.latest_stream_label = label
        arn, view = f"{table.table_arn}/stream/{label}", table.stream_specification["StreamViewType"]
        self._table = table
        self.stream = STREAMS.open(arn, view, table.schema)

    def add(self, old: Any | None, new: Any | None, *, has_expired: bool = False) -> None:
        """Write down that an item has become another; the table's lock is held."""
        before = None if old is None else attributes_of(old)
        after = None if new is None else attributes_of(new)
        item: Any = new if old is None else old
        keys = {self._table.hash_key_attr: write(item.hash_key)}
        if self._table.range_key_attr is not None:
            keys[self._table.range_key_attr] = write(item.range_key)
        self.stream.add(
            keys,
            None if before is None else write_map(before),
            None if after is None else write_map(after),
            sum(item_size(image) for image in (before, after) if image is not None),
            has_expired=has_expired,
        )


def _close(table: Table) -> None:
    if table.stream_shard is not None:
        table.stream_shard.stream.close()
        table.stream_shard = None


def make_service() -> Service:
    """The service for LocalStack."""
    from localstack.aws.skeleton import Skeleton  # noqa: PLC0415  (as below)
    from localstack.aws.spec import load_service  # noqa: PLC0415  (made when it is first called)

    from dlqlab.emulator.dynamodb.streams_api import Api  # noqa: PLC0415  (as above)

    api = Api(STREAMS)
    service = Service(name=NAME, skeleton=Skeleton(load_service(NAME), api.dispatch_table()))
    service._provider = api
    return service


def patch() -> None:
    tables.StreamShard = Shard
    _follow_tables()

    serve(NAME, make_service)


def _follow_tables() -> None:

    @replace(Table.set_stream_specification)  # type: ignore[untyped-decorator]
    def specify(original: Any, self: Table, streams: dict[str, Any] | None) -> None:
        given = streams or {}
        wanted = bool(given.get("StreamEnabled") or given.get("StreamViewType"))
        if wanted and given.get("StreamViewType") not in VIEWS:
            raise MockValidationException(
                "One or more parameter values were invalid: StreamViewType must be one of "
                f"{', '.join(sorted(VIEWS))} where StreamEnabled is true"
            )
        if not wanted:
            _close(self)
        original(self, streams)

    @replace(DynamoDBBackend.update_table_streams)  # type: ignore[untyped-decorator]
    def update(original: Any, self: DynamoDBBackend, table: Table, wanted: dict[str, Any]) -> None:
        if table.stream_shard is None and wanted.get("StreamEnabled"):
            table.set_stream_specification(wanted)  # moto refuses a table that once had a stream
        else:
            original(self, table, wanted)

    @replace(DynamoDBBackend.delete_table)  # type: ignore[untyped-decorator]
    def delete_table(original: Any, self: DynamoDBBackend, name: str) -> Any:
        table = original(self, name)
        _close(table)
        return table
