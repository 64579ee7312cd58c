"""The look-ups of a recording for very many tasks: each column that is asked for is indexed once.

``Rows`` reads a whole column for each look-up, which is right for one task and takes minutes for a thousand.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate, groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dlqlab.analysis.recorded_rows import Row, Rows
from dlqlab.contracts.recording import Recording

_PLAIN = re.compile(r"[A-Za-z0-9_.#|/:@=~+-]+")
"""A key of these characters alone stands between others wherever it is a value in JSON, escaped or not."""
_BETWEEN = (r"[^A-Za-z0-9_.#|/:@=~+-]+", r"[^A-Za-z0-9_.@=~+-]+")
"""What stands between words: first as above, then with the joints of composed keys (``t-1#2``) as well."""


class IndexedRows(Rows):
    """A recording's rows for many look-ups.

    Args:
        recording: what was recorded.
        keys: of the tasks that will be looked for: where they stand is found in one pass over items' keys and bodies.
            For others, and for those with unusual characters, these are searched each time.
    """

    def __init__(self, recording: Recording, keys: Iterable[str] = ()) -> None:
        super().__init__(recording)
        self._keys = frozenset(key for key in keys if _PLAIN.fullmatch(key))
        self._parts: dict[str, _Parts] = {}
        self._hashed: dict[tuple[str, str], _Hashed] = {}
        self._standing: dict[tuple[str, str], dict[str, list[int]]] = {}
        self._made: dict[str, dict[int, Row]] = {}

    def fetch_named(self, client_request_ids: Collection[str] = ()) -> None:
        """Make the rows that the keys name at once, before one key after the other is looked for.

        Args:
            client_request_ids: of the keys' requests.
        """
        self.messages(self._keys)
        keyed = self.sent_of(self._keys)
        self._rows("calls", self._named("calls", "item_key"))
        bodies = self._rows("bodies", self._named("bodies", "body"))
        self.sent_as({row["body_sha256"] for row in [*keyed, *bodies] if row["body_sha256"]})
        caused = self.invocations_for(client_request_ids)
        self.sent_by({*client_request_ids, *(row["request_id"] for row in caused)})

    def fetch_ahead(self, message_ids: Collection[str]) -> None:
        """Make the rows of these messages and of their invocations at once, which is quicker than task by task."""
        self.messages(message_ids)
        entered = self.sent(message_ids)
        given = self.invocations_given(message_ids)
        self.bodies_of(self.sent({mate for row in given for mate in row["message_ids"]}))
        requests = {row["request_id"] for row in [*entered, *given] if row["request_id"]}
        by_clients = {row["client_request_id"] for row in self.invocations(requests) if row["client_request_id"]}
        self.calls(requests | by_clients)

    def _where(self, name: str, column: str, values: Collection[str]) -> list[Row]:
        wanted = frozenset(values)
        return [row for row in self._rows(name, self._index(name, column).places(wanted)) if row[column] in wanted]

    def _where_any(self, name: str, column: str, values: Collection[str]) -> list[Row]:
        wanted = frozenset(values)
        found = self._rows(name, self._index(name, column).places(wanted))
        return [row for row in found if not wanted.isdisjoint(row[column])]

    def _containing(self, name: str, column: str, text: str) -> list[Row]:
        if text not in self._keys:
            return super()._containing(name, column, text)
        return self._rows(name, self._words(name, column).get(text, ()))

    def _rows(self, name: str, places: Iterable[int]) -> list[Row]:
        found = sorted(places)
        made = self._made.setdefault(name, {})
        if missing := [place for place in found if place not in made]:
            if name not in self._parts:
                self._parts[name] = _Parts(self.table(name))
            made.update(zip(missing, self._parts[name].rows(missing), strict=True))
        return [made[place] for place in found]

    def _named(self, name: str, column: str) -> set[int]:
        """Where any of the keys stands."""
        return {place for places in self._words(name, column).values() for place in places}

    def _index(self, name: str, column: str) -> "_Hashed":
        """Where each value of a column of texts, or of lists of texts, stands."""
        if (name, column) not in self._hashed:
            self._hashed[name, column] = _Hashed(self.table(name)[column])
        return self._hashed[name, column]

    def _words(self, name: str, column: str) -> dict[str, list[int]]:
        """Where each of the keys stands as a word, or as a part of a composed one."""
        at = (name, f"words of {column}")
        if at not in self._standing:
            texts = self.table(name)[column]
            wanted = pa.array(sorted(self._keys), pa.string())
            found: dict[str, set[int]] = {}
            for between in _BETWEEN:
                for place, word in _standing(texts, between, wanted):
                    found.setdefault(word, set()).add(place)
            self._standing[at] = {word: sorted(places) for word, places in found.items()}
        return self._standing[at]


class _Hashed:
    """Where the values of a column stand, by their hashes: twelve bytes a value instead of some three hundred.

    What is found may be something else with the same hash, hardly ever: whoever asks looks at the row.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        hashes, places, start = [], [], 0
        for chunk in column.chunks:
            is_list = pa.types.is_list(chunk.type)
            values = pc.list_flatten(chunk) if is_list else chunk
            owners = pc.list_parent_indices(chunk) if is_list else pa.array(np.arange(len(chunk), dtype=np.int64))
            known = pc.is_valid(values)
            texts = values.filter(known).to_pylist()
            hashes.append(np.fromiter(map(hash, texts), np.int64, len(texts)))
            places.append(owners.filter(known).to_numpy(zero_copy_only=False).astype(np.int32) + start)
            start += len(chunk)
        every = np.concatenate([np.empty(0, np.int64), *hashes])
        order = np.argsort(every, kind="stable")
        # Python's own view: for a few values at a time, numpy's search takes ten times as long.
        self._hashes = memoryview(every[order])
        self._places = memoryview(np.concatenate([np.empty(0, np.int32), *places])[order])

    def places(self, values: Iterable[str]) -> set[int]:
        hashes, found = self._hashes, set()
        for value in values:
            wanted = hash(value)
            at = bisect_left(hashes, wanted)
            while at < len(hashes) and hashes[at] == wanted:
                found.add(self._places[at])
                at += 1
        return found


class _Parts:
    """Rows of a table by their places, without a second copy of it in one piece."""

    def __init__(self, table: pa.Table) -> None:
        self._parts = table.to_batches()
        self._starts = list(accumulate((part.num_rows for part in self._parts), initial=0))

    def rows(self, places: Iterable[int]) -> Iterator[Row]:
        """Args:
        places: in order.
        """
        for at, some in groupby(places, lambda place: bisect_right(self._starts, place) - 1):
            start = self._starts[at]
            yield from self._parts[at].take(pa.array([place - start for place in some])).to_pylist()


def _standing(texts: pa.ChunkedArray, between: str, wanted: pa.Array) -> Iterable[tuple[int, str]]:
    """The places of the words that are wanted, with the words."""
    distinct = pc.dictionary_encode(texts).combine_chunks()
    distinct = distinct.combine_chunks() if isinstance(distinct, pa.ChunkedArray) else distinct
    words = pc.split_pattern_regex(distinct.dictionary, between)
    every, owners = pc.list_flatten(words), pc.list_parent_indices(words)
    hits = pc.is_in(every, wanted)
    named: dict[int, list[str]] = {}
    for owner, word in zip(owners.filter(hits).to_pylist(), every.filter(hits).to_pylist(), strict=True):
        named.setdefault(owner, []).append(word)
    is_named = pc.is_in(distinct.indices, pa.array(list(named), distinct.indices.type))
    places = zip(pc.indices_nonzero(is_named).to_pylist(), distinct.indices.filter(is_named).to_pylist(), strict=True)
    return ((place, word) for place, code in places for word in named[code])
