"""Payloads by content, all the way: what the client sent, what the task's item holds, what was logged and archived."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.wording import examples
from dlqlab.contracts.outcomes import NOT_TAKEN
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count
from taskrules.redaction import redact
from taskrules.settings import REDACT_FIELDS

PLACES: Mapping[str, str] = {
    "item_payload": "whose item in the task table holds another payload than was sent",
    "line_payload": "whose dead-letter line holds another payload than was sent",
    "archive_payload": "whose archived message holds another payload than was sent",
}
"""Where a payload can be another one; lines and archive hold it redacted."""
SHOWN_CHARACTERS_MAX = 60
DETAILS_MAX = 100


@check(
    "payloads",
    "Each payload is the one that was sent",
    place=100,
    sets=[NamedSet(place, SetKind.VIOLATION, f"Tasks {text}.") for place, text in PLACES.items()],
)
def payloads_check(facts: Facts) -> Judgement:
    """Each task's payload, compared as a JSON value with what its client sent.

    Where a client sent one id with several payloads, any that it was not refused for may be the task's. Tasks that no
    client sent are conservation's.
    """
    sent = _sent(facts.ledger)
    fields = _redacted_fields(facts)
    found = {
        "item_payload": list(_differing(facts.items, sent)),
        "line_payload": list(_differing(_lines(facts), sent, lambda value: redact(value, fields))),
        "archive_payload": list(_differing(_archived(facts), sent, lambda value: redact(value, fields))),
    }
    compared = len(set(facts.items.index) & set(sent))
    wrong = [
        f"{count(len(rows), 'task')} {PLACES[place]}: {examples([task for task, _ in rows])} ({rows[0][1]})"
        for place, rows in found.items()
        if rows
    ]
    status, statement = Status.VALID, f"{count(compared, 'task')} with the payload that was sent, wherever it is kept"
    if wrong:
        status, statement = Status.INVALID, "; ".join(wrong)
    elif not compared:
        status, statement = Status.UNKNOWN, "no task has a payload of which it is known what was sent"
    differing = {task for rows in found.values() for task, _ in rows}
    return Judgement(
        status=status,
        statement=statement,
        measured=float(compared - len(differing & set(facts.items.index))),
        expected=float(compared),
        unit="tasks",
        n=compared,
        members={place: tuple(sorted(task for task, _ in rows)) for place, rows in found.items()},
        details={
            "differences": [
                {"task_id": task, "place": place, "difference": text}
                for place, rows in found.items()
                for task, text in rows
            ][:DETAILS_MAX],
            "redacted_fields": sorted(fields),
        },
    )


def difference(expected: Any, found: Any, path: str = "payload") -> str | None:
    """The first place where two JSON values differ, in words; None where they are equal. True is not 1."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return _first(_of_key(expected, found, key, path) for key in sorted(expected.keys() | found.keys()))
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return _first(difference(*pair, f"{path}[{index}]") for index, pair in pairs)
    if _as_text(expected) == _as_text(found):
        return None
    return f"{path}: {_short(expected)} sent, {_short(found)} there"


def _of_key(expected: dict[str, Any], found: dict[str, Any], key: str, path: str) -> str | None:
    if key not in found:
        return f"{path}.{key}: {_short(expected[key])} sent, nothing there"
    if key not in expected:
        return f"{path}.{key}: nothing sent, {_short(found[key])} there"
    return difference(expected[key], found[key], f"{path}.{key}")


def _first(texts: Iterator[str | None]) -> str | None:
    return next((text for text in texts if text), None)


def _sent(ledger: pd.DataFrame) -> dict[str, list[str]]:
    """Task id -> the JSON texts that its client may have been taken at, each once."""
    chosen = ledger[ledger["task_id"].notna() & ledger["payload"].notna()]
    taken = chosen[~chosen["outcome"].isin(NOT_TAKEN).astype(bool)]
    found: dict[str, list[str]] = {}
    for task, payload in taken[["task_id", "payload"]].drop_duplicates().itertuples(index=False):
        found.setdefault(task, []).append(payload)
    return found


def _lines(facts: Facts) -> pd.DataFrame:
    """Lines without any payload are the records check's."""
    letters = facts.client_letters[["task_id", "payload"]]
    return letters[letters["payload"].str.strip().fillna("") != ""]


def _archived(facts: Facts) -> pd.DataFrame:
    """The payloads inside the archived messages; a text that is not a task's message stands for itself."""
    rows = facts.tasks[sure(facts.tasks["archived"]) & facts.tasks["task_id"].notna()]
    return rows[["task_id"]].assign(payload=rows["archive_body"].map(_payload_of, na_action="ignore"))


def _payload_of(body: str) -> str:
    try:
        message = json.loads(body)
    except ValueError:
        return body
    return json.dumps(message["payload"]) if isinstance(message, dict) and "payload" in message else body


def _differing(
    rows: pd.DataFrame, sent: Mapping[str, list[str]], redacted: Callable[[Any], Any] | None = None
) -> Iterator[tuple[str, str]]:
    """Task id and difference of each row that holds none of the payloads that were sent; a task comes once."""
    seen: set[str] = set()
    for task, text in rows[["task_id", "payload"]].itertuples(index=False):
        if task not in sent or task in seen:
            continue
        texts = [_text_difference(wanted, text, redacted) for wanted in sent[task]]
        if all(texts):
            seen.add(task)
            yield task, str(texts[-1])


def _text_difference(sent: str, found: Any, redacted: Callable[[Any], Any] | None) -> str | None:
    if pd.isna(found):
        return "there is none"
    if redacted is None and found == sent:
        return None  # the usual case, without reading either
    expected = json.loads(sent) if redacted is None else redacted(json.loads(sent))
    try:
        value = json.loads(found)
    except ValueError:
        return f"payload: {_short(expected)} sent, no JSON there: {str(found)[:SHOWN_CHARACTERS_MAX]}"
    return difference(expected, value)


def _redacted_fields(facts: Facts) -> frozenset[str]:
    """Lower-case names; those of the functions' settings where the manifest has them, else the app's default."""
    known = facts.manifest.redact_fields
    chosen = REDACT_FIELDS.split(",") if known is None else known
    return frozenset(str(name).strip().lower() for name in chosen)


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}..."
