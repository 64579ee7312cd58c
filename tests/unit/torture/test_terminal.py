"""The matrix in the terminal, and the command's refusals before anything is started."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from dlqlab.cli.program import main
from dlqlab.contracts.injection import Fault, Kind
from dlqlab.contracts.verdict import EXIT_USAGE
from dlqlab.torture.harms import Harm
from dlqlab.torture.judged import Outcome
from dlqlab.torture.matrix import BASELINE
from dlqlab.torture.result import Answer, Change, Result
from dlqlab.torture.terminal import print_result, summary

FAULT = Fault(kind=Kind.KILL)
BASE = Answer(name=BASELINE, what="nothing is broken", outcome=Outcome.SURVIVED)
LOST = Harm("named_in_vain", "Named in batchItemFailures, and deleted all the same.", ("m1", "m2", "m3", "m4", "m5"))


def shown(*answers: Answer, differences: tuple[Change, ...] = ()) -> str:
    out = io.StringIO()
    result = Result(name="orders", started_ts=1.0, answers=(BASE, *answers), left_out=("stall: too long",))
    print_result(result, Path("folder"), Console(file=out, width=160), differences)
    return out.getvalue()


def broken(name: str = "kill") -> Answer:
    keys = {f"m{number}": f"t-1-0000000{number}" for number in range(1, 5)}
    return Answer(name=name, what="killed", outcome=Outcome.BROKEN, faults=(FAULT,), harms=(LOST,), tasks_of=keys)


def test_a_broken_row_has_its_reason_tasks_rule_remedy_and_where_to_look() -> None:
    text = shown(replace(broken(), run="rows/one"))

    assert "reason  Named in batchItemFailures, and deleted all the same." in text
    assert "tasks   t-1-00000001, t-1-00000002, t-1-00000003 and 2 more" in text
    assert "rule    silent-loss" in text
    assert "remedy  Set FunctionResponseTypes of the mapping to ReportBatchItemFailures" in text
    assert "look    dlqlab trace m1 --run folder/rows/one" in text
    assert "left out: stall: too long" in text


def test_what_is_so_without_faults_too_is_said() -> None:
    text = shown(replace(broken(), also_without=("named_in_vain",)))

    assert "named in vain also without faults" in text
    assert "So it is without faults too." in text


def test_the_worst_rows_come_first_after_the_baseline() -> None:
    text = shown(Answer(name="late", what="", outcome=Outcome.SURVIVED), broken("kill"))

    assert text.index(BASELINE) < text.index("kill") < text.index("late")


def test_a_row_that_exercised_nothing_says_so() -> None:
    never = "exercised nothing but the straight way: never reached orders: a retry"

    assert "exercised nothing but the straight way" in shown(
        Answer(name="late", what="", outcome=Outcome.SURVIVED, faults=(FAULT,), never=never)
    )


def test_changes_since_the_last_time_are_told() -> None:
    text = shown(differences=(Change("kill", Outcome.BROKEN, Outcome.SURVIVED),))

    assert "since the last time: kill: broken, now survived" in text


def test_the_summary_counts_rows_without_the_baseline() -> None:
    some = Result(name="orders", started_ts=1.0, answers=(BASE, broken("a"), broken("b")))

    assert summary(some) == "2 rows: 2 broken"
    assert summary(Result(name="orders", started_ts=1.0, answers=(BASE,))) == "0 rows: none was run"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--only", "kill", "--faults", "f.toml"), "the file is the only row"),
        (("--pytest", "t.py"), "--pytest is given without --shrink"),
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(
    arguments: tuple[str, ...], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    done = CliRunner().invoke(main, ["torture", *arguments])

    assert (done.exit_code, reason in done.output + done.stderr) == (EXIT_USAGE, True), done.output + done.stderr
