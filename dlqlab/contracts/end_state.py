"""What a pipeline leaves behind at the end of a run: items of tables, objects of buckets, messages left in queues.

``end_state.json`` in the run directory, written once the queues are at rest. A run that was played against others
(``dlqlab run --same-end``) holds theirs as well, in the folder ``references``, in the order in which they were played.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlqlab.contracts.plain_files import read_plain, write_plain
from dlqlab.contracts.rundir import RunDir

_FILE, _REFERENCES = "end_state.json", "references"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item, object or message.

    ``key`` is the item's primary key or the object's name; empty for a message. ``values`` are its texts, numbers,
    truths and nulls as JSON writes them, by where they stand: ``status``, ``lines[0].price``.
    """

    key: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndState:
    """Items by place (``dynamodb orders``). ``unread`` says in sentences what could not be read; empty: it is whole."""

    places: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One play: its run id, whether its queues drained, the keys of the tasks that were accepted, and what it left."""

    run_id: str
    drained: bool
    accepted: tuple[str, ...]
    end: EndState


def values_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The plain values within a JSON value and where each stands; an empty object or list is a value too."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from values_of(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from values_of(inner, f"{path}[{n}]")
    else:
        yield path, _text(value)


def write_end_state(run: RunDir, end: EndState) -> None:
    write_plain(run.path / _FILE, end)


def read_end_state(run: RunDir) -> EndState | None:
    """What a run left behind; None where nobody looked.

    Raises:
        EvidenceError: the file cannot be read.
    """
    return read_plain(run.path / _FILE, EndState)


def write_references(run: RunDir, played: Iterable[Played]) -> None:
    """The plays that a run is held against, into its directory."""
    for n, one in enumerate(played, start=1):
        write_plain(run.path / _REFERENCES / f"{n}.json", one)


def read_references(run: RunDir) -> tuple[Played, ...]:
    """The plays that a run is held against, in order; none where it was played alone.

    Raises:
        EvidenceError: one cannot be read.
    """
    found = (read_plain(path, Played) for path in sorted((run.path / _REFERENCES).glob("*.json")))
    return tuple(one for one in found if one is not None)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
