"""Conservation: what became of every task, as named sets over ledger, log events, task table, archive and queues.

After the total-queue checker of Jepsen. The property holds for a history that includes draining the queues: before that
a task in flight is neither lost nor done, and the answer is unknown. What is wrong already stays wrong: an undrained
history can be invalid.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from dlqlab.analysis.attempts import DIED, DIED_AFTER_EFFECT
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import among, names, sure
from dlqlab.contracts.outcomes import TAKEN, UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The members of each set. ``nothing_left``: both queues are known to be empty, so no open task can still end."""

    members: Mapping[str, tuple[str, ...]]
    nothing_left: bool

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self.members[name]


def reconcile(facts: Facts) -> Reconciliation:
    """The sets of one run; what each means is said by the check ``conservation``."""
    nothing_left = facts.nothing_left
    answers = _answers(facts.ledger)
    ends = _ends(facts)
    seen = names(facts.items.index) | names(facts.attempts["task_id"])
    terminal = ends.completed | ends.dead_lettered
    open_tasks = answers.acknowledged - terminal
    lost = open_tasks if nothing_left else open_tasks - names(facts.items.index)
    unsettled = names(facts.items.index) - terminal - lost
    members: dict[str, Iterable[str]] = {
        "attempted": answers.attempted,
        "acknowledged": answers.acknowledged,
        "completed": ends.completed,
        "dead_lettered": ends.dead_lettered,
        "lost": lost,
        "duplicated": _doubled(facts),
        "zombie": ends.completed & ends.dead_lettered,
        "unexpected": seen - answers.attempted,
        "phantom": answers.refused & ends.ran,
        "over_delivered": _over_delivered(facts),
        "in_flight": set() if nothing_left else unsettled,
        "under_retried": _under_retried(facts),
        "recovered": answers.unanswered & terminal,
        "unanswered": answers.unanswered - seen - terminal,
        "stranded": unsettled & answers.unanswered if nothing_left else set(),
        "redelivered": ends.skipped,
        "late_copy": ends.late_copies,
        "junk": _junk(facts),
    }
    return Reconciliation(
        members={name: tuple(sorted(found)) for name, found in members.items()}, nothing_left=nothing_left
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    attempted: set[str]
    acknowledged: set[str]
    unanswered: set[str]
    refused: set[str]


def _answers(ledger: pd.DataFrame) -> _Answers:
    """What the clients know. An acknowledgement outranks a missing answer, which outranks a refusal."""
    known = ledger[ledger["task_id"].notna()]
    attempted = names(known["task_id"])
    taken = names(known.loc[known["outcome"].isin(TAKEN), "task_id"])
    # A request without an outcome is one that the client never saw the end of.
    silent = known["outcome"].isna() | sure(known["outcome"] == UNKNOWN)
    unanswered = names(known.loc[silent, "task_id"]) - taken
    return _Answers(attempted, taken, unanswered, attempted - taken - unanswered)


@dataclass(frozen=True, slots=True)
class _Ends:
    completed: set[str]
    dead_lettered: set[str]
    late_copies: set[str]
    skipped: set[str]
    ran: set[str]


def _ends(facts: Facts) -> _Ends:
    items, events = facts.items, facts.events
    succeeded = names(_tasks_of(events, "attempt.succeeded"))
    stated = names(items.index[sure(items["status"] == "COMPLETED")])
    failed = names(items.index[sure(items["status"] == "FAILED")])
    completed = stated | succeeded
    dead = facts.client_letters
    latest = dead["task_id"].map(facts.generations)
    in_latest = dead["generation"].isna() | sure(dead["generation"] == latest)
    archived = names(facts.tasks.loc[sure(facts.tasks["archived"]), "task_id"])
    first_generation = archived - names(facts.generations.index[facts.generations > 1])
    letters = names(dead.loc[in_latest, "task_id"]) | (first_generation & (names(items.index) | completed))
    twice = (letters & stated) - failed
    late = twice & _copies_may_remain(facts) if twice else set()
    skipped = names(_tasks_of(events, "attempt.skipped"))
    ran = completed | names(facts.attempts["task_id"])
    return _Ends(completed, (letters - late) | failed, late, skipped, ran)


def _copies_may_remain(facts: Facts) -> set[str]:
    """Completed tasks whose message may have outlived them.

    Their invocation ended before Lambda could delete anything of the batch: an attempt died in it, their own or a batch
    mate's, or Lambda reports it as not ok. Or there were two messages of the task.
    """
    attempts = facts.attempts
    died = attempts["outcome"].isin([DIED, DIED_AFTER_EFFECT])
    invocations = facts.run.table("invocations")
    broken = names(invocations.loc[sure(invocations["status"] != "ok"), "request_id"])
    mates = among(attempts["request_id"], names(attempts.loc[died, "request_id"]) | broken)
    return names(attempts.loc[died | mates, "task_id"]) | facts.two_messages


def _doubled(facts: Facts) -> set[str]:
    successes = facts.events.loc[facts.events["event"] == "attempt.succeeded", "task_id"].dropna()
    repeated = successes[successes.duplicated()]
    return names(facts.items.index[sure(facts.items["effects"] > 1)]) | names(repeated)


def _over_delivered(facts: Facts) -> set[str]:
    allowed = facts.policy.max_attempts
    logged = facts.attempts.loc[facts.attempts["attempt"] > allowed, "task_id"]
    return names(logged) | names(facts.items.index[sure(facts.items["attempts"] > allowed)])


def _under_retried(facts: Facts) -> set[str]:
    """Attempts are counted in the generation that the dead letter names; a permanent error may end it at any time."""
    key = ["task_id", "generation"]
    dead = facts.dead_letters.dropna(subset=key)
    dead = dead[among(dead["task_id"], names(facts.items.index))]
    attempts = facts.attempts[among(facts.attempts["task_id"], names(dead["task_id"]))]
    made = attempts.groupby(key).agg(made=("attempt", "max"), permanent=("permanent", "any")).reset_index()
    joined = dead[key].merge(made, how="left", on=key)
    early = joined["made"].fillna(0) < facts.policy.max_attempts
    completed = sure(joined["task_id"].map(facts.items["status"]) == "COMPLETED")
    return names(joined.loc[sure(early) & ~sure(joined["permanent"]) & ~completed, "task_id"])


def _junk(facts: Facts) -> list[str]:
    archived = facts.tasks[sure(facts.tasks["archived"])]
    known = among(archived["task_id"], facts.known)
    return archived.loc[~known, "archive_id"].fillna("(no archive id)").tolist()


def _tasks_of(events: pd.DataFrame, name: str) -> pd.Series:
    return events.loc[events["event"] == name, "task_id"].dropna()
