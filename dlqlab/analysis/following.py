"""From one message to all that belong to it: what it came from, what came from it, and where the record cannot tell."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dlqlab.analysis.deliveries import name_of, who_did
from dlqlab.analysis.keys import Found
from dlqlab.analysis.recorded_rows import Row, Rows, texts
from dlqlab.contracts.recorded import ActorKind

SAME_TRACE_MAX = 20
"""Messages of one trace that are taken for one chain; more are a trace over many tasks."""
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
    keyed = frozenset(found.message_ids if found.is_value else ())
    if found.is_task:
        return [follow(rows, found.message_ids, keyed)]
    known: set[str] = set()
    result = []
    for message_id in found.message_ids[:LISTED_MAX]:
        if message_id not in known:
            chain = follow(rows, (message_id,), keyed)
            known.update(chain.ids)
            result.append(chain)
    return result


def follow(rows: Rows, message_ids: Iterable[str], keyed: frozenset[str] = frozenset()) -> Chain:
    """The chain of these messages.

    Args:
        rows: of the recording.
        message_ids: where to begin.
        keyed: all messages that have the task's key in their bodies, where it is known: the only one of them among
            several possible parents is the parent.
    """
    chain = Chain(dict.fromkeys(message_ids))
    waiting = set(chain.ids)
    while waiting:
        entered = rows.sent(waiting)
        known = len(chain.ids)
        for row in entered:
            _come_from(chain, row, keyed)
        for row in rows.children(waiting):
            _come_from(chain, row, keyed)
        _again(rows, chain, entered)
        waiting = set(list(chain.ids)[known:])
    for row in rows.sent(list(chain.ids)[1:]):
        if row["message_id"] in keyed:
            chain.links.setdefault(row["message_id"], f"sent by {who_did(row)}, its body has the key too")
    return chain


def _come_from(chain: Chain, row: Row, keyed: frozenset[str]) -> None:
    """Take in a message together with the one that it comes from, where one of the two is known and that is certain."""
    own = row["message_id"]
    parents = [each for each in row["parent_ids"] or () if each != own]
    if not parents:
        return
    certain = parents if len(parents) == 1 else [each for each in parents if each in keyed and own in keyed]
    if len(certain) != 1:
        text = (
            f"message {own} in {name_of(row['queue'])} was sent by invocation {row['request_id']} of {row['actor']} "
            f"and comes from one of {len(parents):,} messages that it had: the record cannot tell from which"
        )
        chain.notes[text] = None
        return
    chain.ids.setdefault(certain[0])
    chain.ids.setdefault(own)
    by = who_did(row)
    if row["actor_kind"] == ActorKind.SERVICE and row["request_id"]:
        text = f"sent by {who_did(row)} for an invocation that had {certain[0]}"
    elif row["actor_kind"] == ActorKind.SERVICE:
        text = f"sent in place of {certain[0]} by {by}"
    else:
        text = f"sent by {by} while it had {certain[0]}"
        text += f" and {len(parents) - 1:,} others without the key" if len(parents) > 1 else ""
    chain.links[own] = text


def _again(rows: Rows, chain: Chain, entered: Iterable[Row]) -> None:
    """The same task sent anew: with the same key, or by somebody who has no messages the same body once more, or under
    the same trace.
    """
    entered = [row for row in entered if row["message_id"] not in (row["parent_ids"] or ())]
    for row in rows.sent_of(set(texts(row["task_key"] for row in entered))):
        if row["message_id"] not in chain.ids:
            chain.ids.setdefault(row["message_id"])
            chain.links[row["message_id"]] = f"sent by {who_did(row)}, of the same task {row['task_key']}"
    requests = {row["request_id"] for row in entered}
    hashes = {row["body_sha256"] for row in entered}
    for row in rows.sent_by(set(texts(requests))):
        if row["message_id"] not in chain.ids and row["body_sha256"] in hashes:
            chain.ids.setdefault(row["message_id"])
            chain.links[row["message_id"]] = f"sent by the same request of {who_did(row)}, with the same body"
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
