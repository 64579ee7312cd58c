"""The verdict in the terminal."""

import io

from rich.console import Console

from dlqlab.contracts.verdict import Check, Status, Verdict
from dlqlab.report.terminal import print_verdict


def printed(verdict: Verdict) -> str:
    """What the terminal shows, without colours."""
    target = io.StringIO()
    print_verdict(verdict, Console(file=target, width=200, no_color=True))
    return target.getvalue()


def test_failing_check_shows_its_worst_twenty_members() -> None:
    """The members of an invalid check are listed, cut after twenty; markup in them is text."""
    ids = ("[red]", *(f"t-{number:02d}" for number in range(30)))
    check = Check(name="a", title="Nothing lost", status=Status.INVALID, statement="31 lost", members={"lost": ids})

    text = printed(Verdict(run_id="r1", finished=True, checks=(check,)))

    assert "Nothing lost, lost (31): [red], t-00" in text
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
