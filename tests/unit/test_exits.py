"""How processes end, in words."""

from pathlib import Path

import pytest

from dlqlab.exits import LOG_TAIL_LINES, how_it_ended, last_lines, told


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (70, "ended with exit code 70"),
        (-9, "was killed by SIGKILL (signal 9)"),
        (-15, "was killed by SIGTERM (signal 15)"),
        (-50, "was killed by signal 50"),
    ],
)
def test_exit_codes_and_signals_have_names(code: int, words: str) -> None:
    assert words == how_it_ended(code)


def test_the_end_of_a_log_is_shown_with_its_path(tmp_path: Path) -> None:
    """Not all of it; an empty one and one that is missing are said."""
    log = tmp_path / "x.log"

    assert last_lines(log).startswith("its log cannot be read: ")
    log.touch()
    assert last_lines(log) == f"its log is empty: {log}"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    assert last_lines(log).splitlines()[1:] == [f"  line {n}" for n in range(100 - LOG_TAIL_LINES, 100)]


def test_the_moment_is_said_in_universal_time() -> None:
    text = told("locust", "ended with exit code 1", phase="load", ended_ts=1_700_000_000.5)

    assert text == "locust ended with exit code 1, in phase load at 2023-11-14T22:13:20Z"
