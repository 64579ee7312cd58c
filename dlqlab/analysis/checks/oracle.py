"""Whether every task met the fate that the oracle predicts; the comparison itself is ``agreement``'s."""

from collections.abc import Mapping

from dlqlab.analysis.agreement import UNEXPLAINED, Agreement, compare_with_oracle
from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import names
from dlqlab.analysis.oracle import COMPLETED, DEAD_LETTERED
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

UNDECIDED: Mapping[str, str] = {
    "early_end": "The run ended before the task did: what was seen is the beginning of what was predicted.",
    "evidence_missing": "The table tells the predicted story, but log lines of it are missing.",
}
EXPLAINED: Mapping[str, str] = {
    "crash": "A function died without a fault that said so: Lambda reports that invocation as not ok.",
    "receive_burnt": "The dead-letter queue came before the last attempt: deliveries were used up without an attempt "
    "(a throttle, a dead batch mate, no time left).",
    "duplicate_delivery": "Attempts of one message ran into those of another: the queue held the task twice.",
}
DETAILS_MAX = 100


@check(
    "oracle",
    "Every task met the fate that its seed predicts",
    place=40,
    sets=[
        NamedSet(UNEXPLAINED, SetKind.VIOLATION, "Tasks with another fate than predicted, which no evidence explains."),
        *(NamedSet(name, SetKind.OPEN, text) for name, text in UNDECIDED.items()),
        *(NamedSet(name, SetKind.NORMAL, text) for name, text in EXPLAINED.items()),
    ],
)
def oracle_check(facts: Facts) -> Judgement:
    """The agreement as a check."""
    result = compare_with_oracle(facts)
    causes = result.differences["cause"]
    by_cause = {
        str(cause): tuple(sorted(names(rows["task_id"]))) for cause, rows in result.differences.groupby("cause")
    }
    differing = len(names(result.differences["task_id"]))
    return Judgement(
        status=_status(result, by_cause),
        statement=_statement(result, by_cause),
        measured=float(result.tasks - differing),
        expected=float(result.tasks),
        unit="tasks",
        n=result.tasks,
        members=by_cause,
        details={
            "fates": result.fates,
            "causes": {str(cause): int(number) for cause, number in causes.value_counts().items()},
            "differences": [
                dict(zip(result.differences.columns, row, strict=True))
                for row in result.differences.sort_values("cause", ascending=False)
                .head(DETAILS_MAX)
                .to_numpy()
                .tolist()
            ],
        },
    )


def _status(result: Agreement, by_cause: dict[str, tuple[str, ...]]) -> Status:
    if UNEXPLAINED in by_cause:
        return Status.INVALID
    if result.tasks == 0 or any(cause in by_cause for cause in UNDECIDED):
        return Status.UNKNOWN
    return Status.VALID


def _statement(result: Agreement, by_cause: dict[str, tuple[str, ...]]) -> str:
    if result.tasks == 0:
        return "no task was taken, so there is no fate to compare"
    unexplained = by_cause.get(UNEXPLAINED, ())
    if unexplained:
        first = result.differences[result.differences["cause"] == UNEXPLAINED].sort_values("task_id").iloc[0]
        tasks = count(len(unexplained), "task")
        return f"{tasks} of {result.tasks:,} met another fate than predicted: {examples(unexplained)} ({first['what']})"
    done = f"{result.fates.get(COMPLETED, 0):,} completed, {result.fates.get(DEAD_LETTERED, 0):,} dead-lettered"
    others = [f"{count(len(members), 'task')} differ by {cause}" for cause, members in sorted(by_cause.items())]
    if not others:
        return f"{count(result.tasks, 'task')} as predicted: {done}"
    return f"{count(result.tasks, 'task')}: {done}; {', '.join(others)}, the others as predicted"
