"""Whether each dead letter left its records: a log line with payload and error message, and the archived message."""

from collections.abc import Mapping

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.dead_letters import predicted_dead_letters
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import among, names, sure
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

RECORDS: Mapping[str, str] = {
    "without_log_line": "no dead-letter line in the log",
    "without_payload": "a line without the payload",
    "without_error_message": "a line without the error message",
    "without_archive": "no archived message",
}
"""What can be missing of a dead-lettered task."""


@check(
    "records",
    "Every dead letter is documented",
    place=90,
    sets=[
        *(NamedSet(name, SetKind.VIOLATION, f"Dead letters with {text}.") for name, text in RECORDS.items()),
        NamedSet("without_junk", SetKind.VIOLATION, "Junk messages that are not in the archive, by their message ids."),
    ],
)
def records_check(facts: Facts) -> Judgement:
    """Each dead-lettered task has its log line with payload and error message, and its archived message."""
    dead = names(facts.items.index[sure(facts.items["status"] == "FAILED")]) | names(facts.client_letters["task_id"])
    missing = _missing(facts, dead)
    archived = facts.tasks[sure(facts.tasks["archived"])]
    junk = int((~among(archived["task_id"], facts.known)).sum())
    wanted_junk = facts.scenario.load.junk_messages
    broken = {name: found for name, found in missing.items() if found}
    unresolved = [
        f"{count(len(found), 'task')} with {RECORDS[name]}: {examples(found)}" for name, found in broken.items()
    ]
    if missing_junk := _missing_junk(facts):
        unresolved.append(f"{count(len(missing_junk), 'junk message')} not archived: {examples(missing_junk)}")
    elif junk < wanted_junk:
        unresolved.append(f"{junk:,} of {wanted_junk:,} junk messages archived")
    open_end = not facts.nothing_left
    status, statement = Status.VALID, f"{count(len(dead), 'dead letter')}, each with its log line and its archive"
    if junk:
        statement += f"; {junk:,} of {wanted_junk:,} junk messages archived"
    if unresolved:
        # A message that is still on its way to the monitor has no records yet.
        status = Status.UNKNOWN if open_end else Status.INVALID
        statement = f"{count(len(dead), 'dead letter')}, but {'; '.join(unresolved)}"
    elif not dead and (predicted_dead_letters(facts) or not facts.taken):
        status, statement = Status.UNKNOWN, "nothing was dead-lettered, so there are no records to check"
    elif not dead and not junk:
        statement = "nothing was dead-lettered and nothing should have been"
    return Judgement(
        status=status,
        statement=statement,
        measured=float(len(dead - set().union(*missing.values()))),
        expected=float(len(dead)),
        unit="tasks",
        n=len(dead),
        members={name: tuple(found) for name, found in missing.items()} | {"without_junk": tuple(missing_junk)},
        details={"junk_archived": junk, "junk_sent": wanted_junk},
    )


def _missing_junk(facts: Facts) -> list[str]:
    """Junk by the ids that its senders got, where they are known: another message must not stand in for it."""
    sent = set(facts.manifest.junk_message_ids or ())
    archived = names(facts.tasks.loc[sure(facts.tasks["archived"]), "archive_id"])
    return sorted(sent - archived)


def _missing(facts: Facts, dead: set[str]) -> dict[str, list[str]]:
    letters = facts.client_letters
    with_payload = letters[letters["payload"].str.strip().fillna("") != ""]
    with_message = letters[letters["error_message"].str.strip().fillna("") != ""]
    archived = names(facts.tasks.loc[sure(facts.tasks["archived"]), "task_id"].dropna())
    logged = names(letters["task_id"])
    return {
        "without_log_line": sorted(dead - logged),
        "without_payload": sorted(logged - names(with_payload["task_id"])),
        "without_error_message": sorted(logged - names(with_message["task_id"])),
        "without_archive": sorted(dead - archived),
    }
