"""The effect of a task: once for a completed one, never for a failed one."""

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

WRONG = {
    "doubled": "whose effect happened more than once",
    "missing": "completed without their effect",
    "despite_failure": "failed although their effect happened",
}


@check(
    "effects",
    "Each effect exactly once",
    place=50,
    sets=[NamedSet(name, SetKind.VIOLATION, f"Tasks {text}.") for name, text in WRONG.items()],
)
def effects_check(facts: Facts) -> Judgement:
    """Counted by the table itself: the effect and its counter are one conditional write."""
    items = facts.items
    effects = items["effects"].fillna(0)
    completed, failed = sure(items["status"] == "COMPLETED"), sure(items["status"] == "FAILED")
    members = {
        "doubled": tuple(sorted(items.index[sure(effects > 1)])),
        "missing": tuple(sorted(items.index[completed & sure(effects < 1)])),
        "despite_failure": tuple(sorted(items.index[failed & sure(effects >= 1)])),
    }
    wrong = [
        f"{count(len(found), 'task')} {WRONG[name]}: {examples(found)}" for name, found in members.items() if found
    ]
    done = int(completed.sum())
    open_tasks = len(items) - done - int(failed.sum())
    if wrong:
        status, statement = Status.INVALID, "; ".join(wrong)
    elif not len(items):
        status, statement = Status.UNKNOWN, "the task table holds no task of this run"
    else:
        status = Status.UNKNOWN if open_tasks else Status.VALID
        statement = f"{count(done, 'task')} completed, each with one effect"
        statement += f"; {count(open_tasks, 'task')} without an end yet" if open_tasks else ""
    return Judgement(
        status=status,
        statement=statement,
        measured=float(effects[completed].sum()),
        expected=float(done),
        unit="effects",
        n=len(items),
        members=members,
    )
