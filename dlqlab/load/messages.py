"""What every way into a pipeline sends, and what comes back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from dlqlab.lineage.keys import key_finder
from dlqlab.load.rows import read_rows
from dlqlab.load.tasks import task_id
from dlqlab.load.templates import Row, render

REQUEST_ID = "X-Request-Id"
"""By which a recorder at the other end knows the request that the ledger knows."""
ERROR_CHARACTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the task's key, its payload as JSON for the ledger, and the body."""

    task_id: str
    payload_json: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP status, None without an answer; what went wrong in one line, None where the message is taken."""

    status_code: int | None
    error: str | None


class Sender(Protocol):
    """One way into a pipeline. ``accepted``: statuses that say that it is taken; None for those of the task system."""

    accepted: frozenset[int] | None

    def compose(self, counter: int) -> Message:
        """The message of the task with this number."""

    def send(self, client: Any, message: Message, counter: int, request_id: str) -> Answer:
        """Send it once. ``client`` is Locust's, bound to the host that it was started with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """What the load generator is told of an entry; ``address`` is a path, a queue's URL, a topic's ARN or a name.

    ``endpoint`` and ``region`` are those of the AWS API; ``rows_path`` is the file of rows that the template may use.
    ``numbers`` are those of the tasks that are sent, from 0, one after another; without any the first ones are.
    ``bodies_seed`` is what bodies are drawn by where that is not the seed of the keys.
    """

    kind: str
    address: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    rows_path: str = ""
    group: str = ""
    fifo: bool = False
    detail_type: str = ""
    source: str = ""
    accepted: tuple[int, ...] = ()
    key: str = ""
    numbers: tuple[int, ...] = ()
    bodies_seed: int | None = None
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> Self:
        """Of the values of ``dataclasses.asdict``, by way of JSON."""
        return cls(**{**value, "accepted": tuple(value["accepted"]), "numbers": tuple(value.get("numbers", ()))})


class FromTemplate:
    """Bodies by the entry's template."""

    def __init__(self, entry: EntrySettings, seed: int) -> None:
        self._entry, self._seed = entry, seed
        self._rows: Sequence[Row] = read_rows(Path(entry.rows_path)) if entry.rows_path else ()
        self._key_of = key_finder(entry.key or None)
        self.accepted: frozenset[int] | None = frozenset(entry.accepted) or frozenset(range(200, 300))

    def compose(self, counter: int) -> Message:
        body = self.fill(self._entry.body, counter)
        key = self._key_of(body) or task_id(self._seed, self._number(counter))
        return Message(key, json.dumps(body, ensure_ascii=False), body)

    def fill(self, template: str, counter: int) -> str:
        return render(
            template,
            seed=self._seed,
            counter=self._number(counter),
            rows=self._rows,
            draws_seed=self._entry.bodies_seed,
        )

    def _number(self, counter: int) -> int:
        return self._entry.numbers[counter] if self._entry.numbers else counter

    def filled(self, templates: Mapping[str, str], counter: int) -> dict[str, str]:
        return {name: self.fill(text, counter) for name, text in templates.items()}
