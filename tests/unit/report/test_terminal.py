"""The verdict in the terminal."""

import io

from rich.console import Console

from dlqlab.contracts.verdict import Check, Status, Verdict
from dlqlab.report.terminal import print_verdict


def printed(verdict: Verdict, *, width: int = 200, terminal: bool = False) -> str:
    """What the terminal shows, without colours."""
    target = io.StringIO()
    print_verdict(verdict, Console(file=target, width=width, color_system=None, force_terminal=terminal))
    return target.getvalue()


def test_piped_check_is_one_line() -> None:
    """In a file each check is one line of sign, name and statement, however narrow the console is."""
    check = Check(name="conservation", title="Nothing lost", status=Status.VALID, statement="long " * 40 + "end")

    lines = printed(Verdict(run_id="r1", finished=True, checks=(check,)), width=80).splitlines()

    assert [f"✓ conservation  {'long ' * 40}end", "✓ valid: run r1"] == lines


def test_statement_wraps_under_itself_in_a_terminal() -> None:
    """On a narrow terminal the statement goes on under its own beginning."""
    check = Check(name="conservation", title="Nothing lost", status=Status.VALID, statement="word " * 20)

    lines = printed(Verdict(run_id="r1", finished=True, checks=(check,)), width=60, terminal=True).splitlines()

    assert [15, 15, 15] == [line.index("word") for line in lines[:3]]


def test_failing_check_shows_its_worst_twenty_members() -> None:
    """The members of an invalid check are listed, cut after twenty; markup in them is text."""
    ids = ("[red]", *(f"t-{number:02d}" for number in range(30)))
    check = Check(name="a", title="Nothing lost", status=Status.INVALID, statement="31 lost", members={"lost": ids})

    text = printed(Verdict(run_id="r1", finished=True, checks=(check,)))

    assert "a, lost (31): [red], t-00" in text
    assert "t-18 and 11 more" in text
    assert text.rstrip().endswith("✗ invalid: run r1")


def test_valid_check_shows_no_members() -> None:
    """What is in order is one row."""
    check = Check(
        name="a", title="Nothing lost", status=Status.VALID, statement="0 lost", members={"recovered": ("t-1",)}
    )

    text = printed(Verdict(run_id="r1", finished=True, checks=(check,)))

    assert "t-1" not in text
    assert "✓ valid: run r1" in text


def test_run_that_did_not_finish_is_said() -> None:
    """Valid checks of a run that broke off make an unknown verdict, with the reason."""
    check = Check(name="a", title="Nothing lost", status=Status.VALID, statement="0 lost")

    text = printed(Verdict(run_id="r1", finished=False, checks=(check,)))

    assert "? unknown: run r1; the run did not come to its end" in text


def test_checks_without_evidence_are_one_line() -> None:
    """After Ctrl-C nobody reads the same reason eight times."""
    reasons = {"oracle": "tasks", "effects": "tasks", "recovery": "events"}
    checks = [
        Check(name=name, title="", status=Status.UNKNOWN, statement=f"not checked: table {table} is not there")
        for name, table in reasons.items()
    ]
    lines = printed(Verdict(run_id="r1", finished=False, checks=tuple(checks))).splitlines()

    assert [
        "? not checked   oracle, effects, recovery: table tasks is not there; table events is not there",
        "? unknown: run r1; the run did not come to its end",
    ] == lines
