"""Payloads by content, all the way: what the client sent, what the task's item holds, what was logged and archived."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.contents import sent_payloads, text_difference
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.wording import examples
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
    sent = sent_payloads(facts.ledger)
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
        texts = [text_difference(wanted, text, redacted) for wanted in sent[task]]
        if all(texts):
            seen.add(task)
            yield task, str(texts[-1])


def _redacted_fields(facts: Facts) -> frozenset[str]:
    """Lower-case names; those of the functions' settings where the manifest has them, else the app's default."""
    known = facts.manifest.redact_fields
    chosen = REDACT_FIELDS.split(",") if known is None else known
    return frozenset(str(name).strip().lower() for name in chosen)
