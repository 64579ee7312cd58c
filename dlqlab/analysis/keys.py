"""From a key that somebody has, to the messages and requests that it names, and how that was found out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dlqlab.analysis.leaves import key_values, leaves, whole_key_values
from dlqlab.analysis.recorded_rows import Row, Rows, is_of_client
from dlqlab.wording import count

ABOUT_MAX = 500
"""Requests and invocations that ask for a task's items; more ask for something that tasks share."""
SEARCHED = (
    "message ids, request ids of Lambda and of clients, trace ids, keys of tasks and of items, values in bodies and, "
    "of a run, the clients' ledger"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a key names.

    ``is_task``: clients or items have it as the key of one task, so that all messages that have it in their bodies
    belong to it. ``is_value``: the messages are those that have it in their bodies.
    ``how`` has a sentence for each way in which it was found; empty where it was not.
    """

    key: str
    how: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    request_ids: tuple[str, ...] = ()
    is_task: bool = False
    is_value: bool = False


def find(rows: Rows, key: str, ledger: Mapping[str, Sequence[str]] | None = None) -> Found:
    """What the key names: the first of the ways below that finds anything, an id of AWS before a value in a body.

    Args:
        rows: of the recording.
        key: a message id, request id, trace id or task id.
        ledger: the clients' request ids by task id, where there is a ledger.
    """
    for way in (_message, _invocation, _client_request, _trace):
        found = way(rows, key)
        if found.how:
            return found
    return _task(rows, key, (ledger or {}).get(key, ()))


def _message(rows: Rows, key: str) -> Found:
    is_there = bool(rows.messages({key}))
    return Found(key=key, how=("it is the id of a message",) if is_there else (), message_ids=(key,) * is_there)


def _invocation(rows: Rows, key: str) -> Found:
    invocations = rows.invocations({key})
    if not invocations:
        return Found(key=key)
    given = [each for row in invocations for each in row["message_ids"] or ()]
    ids = _unique(given or _ids(rows.sent_by({key})))
    how = f"it is the request id of an invocation of {invocations[0]['function']}"
    if given:
        how += f", which was given {count(len(ids), 'message')}"
    return Found(key=key, how=(how,), message_ids=ids, request_ids=(key,))


def _client_request(rows: Rows, key: str) -> Found:
    calls = [row for row in rows.calls({key}) if is_of_client(row)]
    invocations = rows.invocations_for({key})
    if not calls and not invocations:
        return Found(key=key)
    asked = {key, *(row["request_id"] for row in invocations)}
    requests = _unique([key, *(row["request_id"] for row in invocations)])
    return Found(
        key=key,
        how=("it is the request id of a client",),
        message_ids=_unique(_ids(rows.sent_by(asked))),
        request_ids=requests,
    )


def _trace(rows: Rows, key: str) -> Found:
    sent, invocations = rows.sent_in({key}), rows.invocations_in({key})
    if not sent and not invocations:
        return Found(key=key)
    alone = [row["request_id"] for row in invocations if not row["message_ids"]]
    return Found(key=key, how=("it is a trace id",), message_ids=_unique(_ids(sent)), request_ids=_unique(alone))


def _task(rows: Rows, key: str, ledger: Sequence[str]) -> Found:
    """By the ledger, keys of items and bodies, all of them: each knows a part of a task's life."""
    calls = [row for row in rows.calls_about(_inner(key)) if row["item_key"] and key in key_values(row["item_key"])]
    keyed = rows.sent_of({key})
    fields, sent = messages_with(rows, key)
    tables = sorted({row["resource"] for row in calls if row["resource"]})
    how = [
        *([f"the clients' ledger has it in {count(len(ledger), 'request')}"] if ledger else ()),
        *([f"it is the task key of {count(len(set(_ids(keyed))), 'message')}"] if keyed else ()),
        *([f"it is in the keys of items of {', '.join(tables) or 'tables that are not named'}"] if calls else ()),
        *([f"it is in the body of {count(len(set(_ids(sent))), 'message')}, as {', '.join(fields)}"] if sent else ()),
    ]
    by_ledger = [row["request_id"] for row in rows.invocations_for(set(ledger))]
    alone = _unique(row["request_id"] for row in calls if row["request_id"])
    if len(alone) > ABOUT_MAX:
        how.append(f"{len(alone):,} requests and invocations asked for these items: they are not taken for one task's")
        calls, alone = [], ()
    is_key = any(key in whole_key_values(row["item_key"]) for row in calls)
    return Found(
        key=key,
        how=tuple(how),
        message_ids=_unique(_ids([*keyed, *sent, *rows.sent_by({*ledger, *by_ledger})])),
        request_ids=_unique([*ledger, *by_ledger, *alone]),
        is_task=bool(ledger or keyed) or is_key,
        is_value=True,
    )


def messages_with(rows: Rows, value: str) -> tuple[list[str], list[Row]]:
    """The fields in which bodies have the value, and the messages that were sent with them."""
    fields: dict[str, None] = {}
    hashes = set()
    for body in rows.bodies_with(_inner(value)):
        where = [path for path, text in leaves(body["body"]) if text == value]
        if where:
            hashes.add(body["body_sha256"])
            fields.update(dict.fromkeys(path or "the whole body" for path in where))
    return list(fields), rows.sent_as(hashes)


def _inner(value: str) -> str:
    """As it stands inside a JSON text, without the part that may be escaped in another way."""
    text = json.dumps(value, ensure_ascii=True)[1:-1]
    return max(text.replace('"', "\\").split("\\"), key=len) if "\\" in text else text


def _ids(sent: Iterable[Row]) -> list[str]:
    return [row["message_id"] for row in sent]


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
