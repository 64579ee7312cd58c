"""The app's account of its own attempts, held against what the emulator recorded from outside.

All other checks rest on what the app logs and keeps in its tables. The recorder saw the same attempts without asking
the app: which invocation had which message, which writes of the task's item it made, what was sent, moved and deleted.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from dlqlab.analysis import accounts
from dlqlab.analysis.accounts import Disagreement
from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.contents import sent_payloads, text_difference
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.told import Told, told
from dlqlab.analysis.witnessed import Parts, Witnessed, witnessed
from dlqlab.analysis.wording import examples
from dlqlab.contracts.recorded import RECORDER
from dlqlab.contracts.recorded_run import NOT_MEASURED
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.verdict import NOT_CHECKED, NamedSet, SetKind, Status
from dlqlab.errors import EvidenceError, TopologyError
from dlqlab.wording import count
from taskrules.redaction import redact
from taskrules.settings import REDACT_FIELDS

VIOLATIONS: Mapping[str, str] = {
    "untold": "of which the recorder saw something that the log does not tell",
    "invented": "of which the log tells something that did not happen as recorded",
    "other_outcome": "with an attempt that ended otherwise than the log tells",
    "other_effects": "whose effect was not written as often as the table says",
    "deleted": "whose message was deleted without an attempt, or in spite of one that failed",
    "other_dead_letter": "whose dead letter did not go the way that the log tells",
    "other_payload": "whose message holds another payload than was sent",
}
OPEN: Mapping[str, str] = {
    "out_of_reach": "with an event outside of the time of its invocation",
    "hidden": "of which the log tells something that may be among what the recorder lacks",
    "unread": "whose recorded message is cut, so that its payload cannot be compared",
}
"""Which of two clocks is wrong cannot be told, nor what was in a row that is missing."""
CLAIMS = {**VIOLATIONS, **OPEN}
BEHIND_S = 1.0
"""A record that ends earlier than this before the last event does not cover the run."""
DETAILS_MAX = 100
_REDACTED = frozenset(name.strip().lower() for name in REDACT_FIELDS.split(","))
"""What the recorder takes out of bodies, whatever the functions are set to."""


@check(
    "witness",
    "The app's account is what was recorded",
    place=55,
    sets=[
        *(NamedSet(name, SetKind.VIOLATION, f"Tasks {text}.") for name, text in VIOLATIONS.items()),
        *(NamedSet(name, SetKind.OPEN, f"Tasks {text}.") for name, text in OPEN.items()),
    ],
)
def witness_check(facts: Facts) -> Judgement:
    """Attempt by attempt: how many, how each ended and when, its effect, its payload, the way of its dead letter.

    A run without a recorder says so and is valid, as there is nothing that speaks against the app; one whose record is
    missing or has gaps is unknown, unless what is there is enough to contradict the app.
    """
    if facts.ledger.empty:
        return Judgement(status=Status.UNKNOWN, statement="no client sent anything, so there is nothing to compare")
    recording = facts.run.recording
    if recording is None:
        return _not_recorded(facts)
    parts, tasks = _parts(facts), facts.known
    log = told(facts.events, tasks)
    said = {message_id: one.task_id for (_, message_id), one in log.deliveries.items()}
    seen = witnessed(recording, parts, tasks, said)
    gaps = _gaps(recording, log, seen)
    found = [
        *accounts.of_attempts(log, seen),
        *accounts.of_deliveries(log, seen, parts),
        *accounts.of_deletes(log, seen),
        *accounts.of_effects(_items(facts), seen),
        *accounts.of_dead_letters(log, seen, parts),
        *_of_payloads(facts, seen),
    ]
    return _judgement(log, seen, _sorted(found, has_gaps=bool(gaps)), gaps)


def _not_recorded(facts: Facts) -> Judgement:
    """Whether a record is missing that there should be.

    Raises:
        EvidenceError: there is one, and it cannot be read.
    """
    if reason := facts.run.unreadable.get("recording"):
        raise EvidenceError(reason)
    emulator = facts.manifest.emulator
    reason = facts.manifest.not_measured.get(NOT_MEASURED)
    if emulator is not None and RECORDER in emulator.patches:
        text = reason or "the emulator recorded this run, and the record is not there"
        return Judgement(status=Status.UNKNOWN, statement=f"{NOT_CHECKED}: {text}")
    text = reason or "nothing was recorded, the app's own account is all that there is"
    return Judgement(status=Status.VALID, statement=f"not compared: {text}", n=0)


def _parts(facts: Facts) -> Parts:
    try:
        return Parts.of(facts.topology)
    except TopologyError as error:
        raise EvidenceError(f"the pipeline is not the task system: {error}") from error


def _items(facts: Facts) -> dict[str, tuple[str, int]]:
    columns = facts.items["task_id"], facts.items["status"].fillna(""), facts.items["effects"].fillna(0)
    return {task: (str(status), int(effects)) for task, status, effects in zip(*columns, strict=True)}


def _gaps(recording: Recording, log: Told, seen: Witnessed) -> tuple[str, ...]:
    """Why the record may lack something of this run."""
    missing_s = log.last_ts - seen.last_ts
    early = [f"it ends {missing_s:.1f} s before the app's last event"] if missing_s > BEHIND_S else []
    return (*recording.gaps, *early)


def _of_payloads(facts: Facts, seen: Witnessed) -> Iterator[Disagreement]:
    """Each message of a task that was sent, to its queue or to the dead letters, against what its client sent."""
    known = sent_payloads(facts.ledger)
    stored = facts.items["payload"].dropna().to_dict()
    for task, messages in seen.sent.items():
        wanted = known.get(task) or ([stored[task]] if task in stored else [])
        for text in dict.fromkeys(one.body for one in messages if one.body is not None and not one.is_cut):
            payload = json.dumps(json.loads(text).get("payload"), sort_keys=True)
            if any(payload == json.dumps(json.loads(one), sort_keys=True) for one in wanted):
                continue  # the usual case
            differences = [text_difference(one, payload, lambda value: redact(value, _REDACTED)) for one in wanted]
            if all(differences) and wanted:
                yield Disagreement(kind="other_payload", task_id=task, text=str(differences[-1]))
        if any(one.is_cut for one in messages):
            yield Disagreement(kind="unread", task_id=task, text="the recorder kept the beginning of the message only")


def _sorted(found: Sequence[Disagreement], *, has_gaps: bool) -> dict[str, list[Disagreement]]:
    """By set; what a gap may explain is open where there is one."""
    by_set: dict[str, list[Disagreement]] = defaultdict(list)
    for one in sorted(found, key=lambda one: one.task_id):
        by_set["hidden" if has_gaps and one.is_absence else one.kind].append(one)
    return by_set


def _judgement(
    log: Told, seen: Witnessed, found: Mapping[str, Sequence[Disagreement]], gaps: Sequence[str]
) -> Judgement:
    members = {name: tuple(dict.fromkeys(one.task_id for one in found.get(name, ()))) for name in CLAIMS}
    wrong = [
        f"{count(len(ids), 'task')} {CLAIMS[name]}: {examples(ids)} ({found[name][0].text})"
        for name, ids in members.items()
        if ids
    ]
    if gaps:
        wrong.append(f"the record has gaps, which may hide more: {'; '.join(gaps)}")
    keys = log.attempts.keys() | seen.attempts.keys()
    n = sum(max(len(log.attempts.get(key, ())), len(seen.attempts.get(key, ()))) for key in keys)
    differing = {one.attempt for some in found.values() for one in some if one.attempt is not None}
    is_invalid = any(members[name] for name in VIOLATIONS)
    status = Status.INVALID if is_invalid else Status.UNKNOWN if wrong else Status.VALID
    if status is Status.VALID and not n:
        status, wrong = Status.UNKNOWN, ["no attempt was recorded and none is told of"]
    agreed = (
        f"{count(n, 'attempt')}, {count(seen.effects.total(), 'effect')} and "
        f"{count(sum(map(len, seen.sent.values())), 'message')} as recorded"
    )
    return Judgement(
        status=status,
        statement="; ".join(wrong) or agreed,
        measured=float(n - len(differing)),
        expected=float(n),
        unit="attempts",
        n=n,
        members=members,
        details={
            "disagreements": [
                {"task_id": one.task_id, "set": name, "difference": one.text}
                for name, some in found.items()
                for one in some
            ][:DETAILS_MAX],
            "gaps": list(gaps),
            "reach_s": accounts.REACH_S,
        },
    )
