"""From one message to all that belong to it: what it came from, what came from it, and where the record cannot tell."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dlqlab.analysis.deliveries import name_of, who_did
from dlqlab.analysis.keys import Found
from dlqlab.analysis.recorded_rows import Row, Rows, texts
from dlqlab.contracts.recorded import ActorKind
from dlqlab.wording import count

SAME_TRACE_MAX = 20
"""Messages of one trace that are taken for one chain; more are a trace over many tasks."""
MERGED_MAX = 10
"""Messages that one value in bodies makes one task of, where only the field's name says that it is an id."""
LISTED_MAX = 50


@dataclass(slots=True)
class Chain:
    """Messages that belong together. ``links`` says of a message how it is known to; ``notes`` what is not known."""

    ids: dict[str, None] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


def chains(rows: Rows, found: Found) -> list[Chain]:
    """The chains that a key names: one where it is the key of one task, else one for all that hangs together.

    Of very many messages (``LISTED_MAX``) only the first are followed.
    """
    if found.is_task and (len(found.message_ids) <= MERGED_MAX or found.request_ids):
        return [follow(rows, found.message_ids, found.key)]
    known: set[str] = set()
    result = []
    for message_id in found.message_ids[:LISTED_MAX]:
        if message_id not in known:
            chain = follow(rows, (message_id,))
            known.update(chain.ids)
            result.append(chain)
    return result


def follow(rows: Rows, message_ids: Iterable[str], task_key: str | None = None) -> Chain:
    """The chain of these messages.

    Args:
        rows: of the recording.
        message_ids: where to begin.
        task_key: what is in the bodies of all of them, where they are known by that: it tells which of several
            possible parents a message has.
    """
    chain = Chain(dict.fromkeys(message_ids))
    waiting = set(chain.ids)
    while waiting:
        entered = rows.sent(waiting)
        known = len(chain.ids)
        for row in entered:
            _up(rows, chain, row, task_key)
        for row in rows.children(waiting):
            _down(chain, row, waiting, task_key)
        _again(rows, chain, entered)
        waiting = set(list(chain.ids)[known:])
    if task_key is not None:
        for message_id in list(chain.ids)[1:]:
            chain.links.setdefault(message_id, "its body has the key too")
    return chain


def _up(rows: Rows, chain: Chain, row: Row, task_key: str | None) -> None:
    own = row["message_id"]
    parents = [each for each in row["parent_ids"] or () if each != own]
    if not parents:
        return
    if task_key is not None and len(parents) > 1:
        named = [each for each in parents if each in chain.ids]
        if len(named) == 1:
            chain.links[own] = f"sent by {who_did(row)}, of {count(len(parents), 'possible parent')} the one with the key"
            return
    if len(parents) > 1:
        chain.notes[_ambiguous(row, len(parents))] = None
        return
    chain.ids.setdefault(parents[0])
    chain.links[own] = _link(row, parents[0])


def _down(chain: Chain, row: Row, those: set[str], task_key: str | None) -> None:
    child = row["message_id"]
    parents = row["parent_ids"]
    if child in chain.ids or child in those:
        return
    if len(parents) > 1:
        if task_key is None:
            chain.notes[_ambiguous(row, len(parents))] = None
        return
    chain.ids.setdefault(child)
    chain.links[child] = _link(row, parents[0])


def _again(rows: Rows, chain: Chain, entered: Iterable[Row]) -> None:
    """The same task sent anew by somebody who has no messages: under the same trace, or the same body once more."""
    entered = [row for row in entered if row["message_id"] not in (row["parent_ids"] or ())]
    requests = {row["request_id"] for row in entered}
    hashes = {row["body_sha256"] for row in entered}
    for row in rows.sent_by(set(texts(requests))):
        if row["message_id"] not in chain.ids and row["body_sha256"] in hashes:
            chain.ids.setdefault(row["message_id"])
            chain.links[row["message_id"]] = f"the same body once more, by the same request of {who_did(row)}"
    others = [
        row
        for row in rows.sent_in(set(texts(row["trace_id"] for row in entered)))
        if row["message_id"] not in chain.ids and not row["parent_ids"] and row["request_id"] not in requests
    ]
    if len(others) > SAME_TRACE_MAX:
        chain.notes[f"{len(others):,} other messages carry its trace id: they are not taken for its own"] = None
        return
    for row in others:
        chain.ids.setdefault(row["message_id"])
        chain.links[row["message_id"]] = f"sent by {who_did(row)} under the same trace id"


def _link(row: Row, parent: str) -> str:
    if row["actor_kind"] == ActorKind.SERVICE:
        return f"sent in place of {parent} by {who_did(row)}"
    return f"sent by {who_did(row)} while it had {parent}"


def _ambiguous(row: Row, parents: int) -> str:
    return (
        f"message {row['message_id']} in {name_of(row['queue'])} was sent by invocation {row['request_id']} of "
        f"{row['actor']}, which had {parents:,} messages: the record cannot tell from which of them it comes"
    )
