"""Items whose TTL is over are deleted within seconds, and their stream says that DynamoDB did it.

moto keeps the attribute's name and deletes nothing. AWS deletes within a few days; here all items of a table with a TTL
are looked at again and again, a few at a time and with at most a hundredth of a processor, so that a table of 50,000 is
through in a minute or two.
"""

import time
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

from localstack.utils.patch import patch as replace
from moto.dynamodb.models import DynamoDBBackend

from dlqlab.emulator.core.isolation import isolated
from dlqlab.emulator.core.services import provider
from dlqlab.emulator.dynamodb import expiry
from dlqlab.emulator.dynamodb.dynamodb_streams import Shard
from dlqlab.emulator.dynamodb.operations.tables import Table, find_table
from dlqlab.emulator.dynamodb.unsupported import InvalidError

_BREATH_S = 0.001
"""Between a few items and the next: who waits for the lock gets it."""


@dataclass(eq=False)
class Watch:
    """A table while its TTL is enabled."""

    account_id: str
    region: str
    table: Any

    def run(self) -> None:
        """Until the table, or its TTL, is no more."""
        guard, lock = isolated("dlqlab-ttl"), provider("dynamodb").lock
        while self._is_on():
            took_s = 0.0
            with guard:
                took_s = self._look(lock)
            time.sleep(expiry.pause_s(took_s))

    def _is_on(self) -> bool:
        return getattr(self.table, "watch", None) is self and self.table.ttl.get("TimeToLiveStatus") == "ENABLED"

    def _look(self, lock: Lock) -> float:
        """Delete what has expired; the seconds that it took, without those in which nothing was done."""
        try:
            table = find_table(self.account_id, self.region, self.table.name)
        except InvalidError:
            table = None
        if table is None or table.moto is not self.table:
            self.table.watch = None  # deleted
            return 0.0
        took_s = 0.0
        for some in expiry.slices(table.all()):
            began = time.perf_counter()
            with lock:
                if not self._is_on():
                    return took_s
                self._delete(table, some)
            took_s += time.perf_counter() - began
            time.sleep(_BREATH_S)
        return took_s

    def _delete(self, table: Table, some: tuple[Any, ...]) -> None:
        tells = isinstance(table.moto.stream_shard, Shard)
        for item in expiry.expired(some, self.table.ttl["AttributeName"], time.time()):
            key = item.hash_key, item.range_key
            if table.find(key) is item:
                table.delete(key, has_expired=tells)


def patch() -> None:
    @replace(DynamoDBBackend.update_time_to_live)  # type: ignore[untyped-decorator]
    def update(original: Any, self: DynamoDBBackend, table_name: str, ttl_spec: dict[str, Any]) -> None:
        original(self, table_name, ttl_spec)
        table = self.get_table(table_name)
        if ttl_spec["Enabled"]:
            table.watch = Watch(self.account_id, self.region_name, table)
            Thread(target=table.watch.run, daemon=True, name="dlqlab-ttl").start()
