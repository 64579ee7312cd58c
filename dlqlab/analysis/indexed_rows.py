"""The look-ups of a recording for very many tasks: each column that is asked for is indexed once.

``Rows`` reads a whole column for each look-up, which is right for one task and takes minutes for a thousand.
"""

import re
from collections.abc import Collection, Iterable

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
        self._tables: dict[str, pa.Table] = {}
        self._places: dict[tuple[str, str], dict[str, list[int]]] = {}
        self._made: dict[str, dict[int, Row]] = {}

    def table(self, name: str) -> pa.Table:
        if name not in self._tables:
            self._tables[name] = super().table(name).combine_chunks()
        return self._tables[name]

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
        return self._rows(name, self._index(name, column), values)

    def _where_any(self, name: str, column: str, values: Collection[str]) -> list[Row]:
        return self._rows(name, self._index(name, column), values)

    def _containing(self, name: str, column: str, text: str) -> list[Row]:
        if text not in self._keys:
            return super()._containing(name, column, text)
        return self._rows(name, self._words(name, column), (text,))

    def _rows(self, name: str, index: dict[str, list[int]], values: Iterable[str]) -> list[Row]:
        found = sorted({place for value in values for place in index.get(value, ())})
        made = self._made.setdefault(name, {})
        missing = [place for place in found if place not in made]
        if missing:
            made.update(zip(missing, self.table(name).take(pa.array(missing)).to_pylist(), strict=True))
        return [made[place] for place in found]

    def _index(self, name: str, column: str) -> dict[str, list[int]]:
        """Where each value of a column of texts, or of lists of texts, stands."""
        if (name, column) not in self._places:
            found: dict[str, list[int]] = {}
            for place, value in enumerate(self.table(name)[column].to_pylist()):
                for text in (value,) if isinstance(value, str) else value or ():
                    found.setdefault(text, []).append(place)
            self._places[name, column] = found
        return self._places[name, column]

    def _words(self, name: str, column: str) -> dict[str, list[int]]:
        """Where each of the keys stands as a word, or as a part of a composed one."""
        at = (name, f"words of {column}")
        if at not in self._places:
            texts = self.table(name)[column]
            wanted = pa.array(sorted(self._keys), pa.string())
            found: dict[str, set[int]] = {}
            for between in _BETWEEN:
                for place, word in _standing(texts, between, wanted):
                    found.setdefault(word, set()).add(place)
            self._places[at] = {word: sorted(places) for word, places in found.items()}
        return self._places[at]


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
