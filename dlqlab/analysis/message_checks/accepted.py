"""Whether every request that a client was told is accepted became a message: what the pipeline took, it must keep.

A request is known by the id that the load generator sent with it, and its message by the task's key in the body, or by
the invocation that the request caused.
"""

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow
from dlqlab.analysis.wording import examples
from dlqlab.contracts.outcomes import TAKEN
from dlqlab.contracts.recorded import Kind, Outcome
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.topology import Topology
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.errors import EvidenceError
from dlqlab.wording import count

SETS = (
    NamedSet("accepted", SetKind.ACCOUNT, "The client was told that the request is accepted."),
    NamedSet("without_a_message", SetKind.VIOLATION, "Accepted, and no message of it ever entered a queue."),
    NamedSet(
        "dropped_as_duplicate",
        SetKind.VIOLATION,
        "Accepted, and its message dropped by a FIFO queue as a duplicate of another request's: the deduplication ids, "
        "or with content-based deduplication the bodies, are the same.",
    ),
    NamedSet(
        "half_done",
        SetKind.VIOLATION,
        "The request failed in the middle: an item was written, and no message was sent. It stays so, unless the "
        "client sends it again.",
    ),
    NamedSet("refused", SetKind.NORMAL, "The client was told that the request is not accepted."),
    NamedSet("unanswered", SetKind.NORMAL, "The client saw no answer: whether it was taken is not known to it."),
)
FILTERS_SAID_MAX = 3
_WRITES = ("PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems")


@check("accepted", "Every accepted request a message", place=20, sets=SETS)
def accepted_check(facts: Facts) -> Judgement:
    """Valid: each request that was accepted has a message."""
    ledger, recording = facts.ledger, facts.flow.recording
    taken = ledger["outcome"].isin(TAKEN).astype(bool)
    sent = _with_a_message(facts.flow, ledger, Kind.SENT)
    dropped = taken & ~sent & _with_a_message(facts.flow, ledger, Kind.DEDUPLICATED)
    if taken.any() and not sent.any() and Kind.SENT in set(recording.messages["kind"].to_pylist()):
        raise EvidenceError("no request can be matched with a message: put {{key}} into entry.body, and keep bodies")
    broken = _half_done(recording)
    refused = ledger["outcome"].isin(["rejected", "refused"]).astype(bool)
    members = {
        "accepted": _tasks(ledger[taken]),
        "without_a_message": _tasks(ledger[taken & ~sent & ~dropped]),
        "dropped_as_duplicate": _tasks(ledger[dropped]),
        "half_done": _tasks(ledger[~taken & ~sent & ledger["request_id"].isin(list(broken))]),
        "refused": _tasks(ledger[refused]),
        "unanswered": _tasks(ledger[~taken & ~refused]),
    }
    wrong = sum(len(members[name]) for name in ("without_a_message", "dropped_as_duplicate", "half_done"))
    proven = Status.VALID if members["accepted"] else Status.UNKNOWN
    return Judgement(
        status=Status.INVALID if wrong else proven,
        statement="; ".join([_statement(members), *_filters(facts.run.topology, members["without_a_message"])]),
        measured=float(wrong),
        expected=0.0,
        unit="requests",
        n=len(ledger),
        members=members,
    )


def _with_a_message(flow: Flow, ledger: pd.DataFrame, kind: Kind) -> "pd.Series[bool]":
    """Which requests have a message in the pipeline's queues that entered, or was dropped, as ``kind`` says: one with
    the key in its body, or one that the request or what it caused sent.
    """
    keys = set(ledger["task_id"].dropna().tolist())
    recording, columns = flow.recording, ["ts", "queue", "kind", "request_id", "task_key", "body_sha256"]
    rows = (row for row in recording.messages.select(columns).to_pylist() if row["ts"] >= flow.since_ts)
    messages = [row for row in rows if row["kind"] == kind and flow.is_own(row["queue"])]
    if not messages:
        return pd.Series(data=False, index=ledger.index)
    hashes = {row["body_sha256"] for row in messages}
    bodies = recording.bodies.select(["body_sha256", "body"]).to_pylist()
    found = _keys_in((row["body"] for row in bodies if row["body_sha256"] in hashes), keys)
    found |= {row["task_key"] for row in messages} & keys
    senders = {row["request_id"] for row in messages if row["request_id"]}
    caused = recording.invocations.select(["request_id", "client_request_id"]).to_pylist()
    senders |= {row["client_request_id"] for row in caused if row["request_id"] in senders}
    return ledger["task_id"].isin(list(found)) | ledger["request_id"].isin(list(senders))


def _keys_in(bodies: Iterable[str], keys: set[str]) -> set[str]:
    """The keys that stand in a body."""
    word = re.compile(r"t-\d+-\d{8}")
    return {key for body in bodies for key in word.findall(body)} & keys


def _half_done(recording: Recording) -> set[str]:
    """Requests whose invocation failed after it had written an item."""
    calls = recording.calls.select(["request_id", "operation", "error_code"]).to_pylist()
    wrote = {row["request_id"] for row in calls if row["operation"] in _WRITES and not row["error_code"]}
    rows = recording.invocations.select(["request_id", "client_request_id", "outcome"]).to_pylist()
    return {
        row["client_request_id"]
        for row in rows
        if row["client_request_id"] and row["request_id"] in wrote and row["outcome"] not in {None, Outcome.OK}
    }


def _tasks(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rows["task_id"].dropna().tolist()))


def _statement(members: dict[str, tuple[str, ...]]) -> str:
    if not members["accepted"] and not members["half_done"]:
        return "no request was accepted, so nothing is proven"
    lost = members["without_a_message"]
    parts = [f"{count(len(members['accepted']), 'request')} accepted, {len(lost):,} without a message"]
    parts[0] += f": {examples(lost)}" if lost else ""
    if dropped := members["dropped_as_duplicate"]:
        parts.append(f"{len(dropped):,} dropped as duplicates of other requests' messages: {examples(dropped)}")
    if members["half_done"]:
        parts.append(f"{len(members['half_done']):,} written and never sent: {examples(members['half_done'])}")
    parts += [f"{len(members[name]):,} {name}" for name in ("refused", "unanswered") if members[name]]
    return "; ".join(parts)


def _filters(topology: Topology | None, lost: Sequence[str]) -> list[str]:
    """What may have held back the messages that are not there: filter policies of subscriptions, patterns of rules."""
    if topology is None or not lost:
        return []
    found = [f"{one.kind} {one.name} lets through only {one.filter}" for one in topology.entries if one.filter]
    return [*dict.fromkeys(found)][:FILTERS_SAID_MAX]
