"""Dead letters by cause and place."""

import pytest

from dlqlab.analysis.autopsy import causes, letters_table, shape, untried_receives
from dlqlab.analysis.keys import find
from dlqlab.analysis.lives import Life, lives
from dlqlab.analysis.log_lines import Line
from dlqlab.analysis.reasons import Reason, reason, work_stays
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.contracts.recording import Recording
from tests.support.lives import completed, dead_lettered, message, ran, submitted
from tests.support.recordings import T0, recording


def entry(record: Recording, key: str, line: str = "") -> tuple[str, Life, list[Reason]]:
    rows = Rows(record)
    [life] = lives(rows, find(rows, key))
    logged = {"p1": [Line(T0, "e1", line)]} if line else {}
    return key, life, [reason(life, stay, logged) for stay in work_stays(life)]


def throttled(message_id: str) -> Recording:
    """Received once, while no environment was free."""
    return recording(
        messages=[
            submitted("t", message_id),
            message("received", 1.0, message_id, receive_count=1),
            message("moved", 31.0, message_id, receive_count=1),
        ],
        invocations=[ran(1.1, f"of-{message_id}", [message_id], [message_id], outcome="throttled", environment=None)],
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("draw 0.177069 below 0.3", "draw # below #"),
        ("order o-17 of 'Ann' is unknown", "order <id> of '…' is unknown"),
        ("request ce30f5e4-2882-4648-b809-8f558dfe83fd:\n timed out after 3 s", "request <id>: timed out after # s"),
        ("message ERROR always fails", "message ERROR always fails"),
        ("no such time-out", "no such time-out"),
    ],
)
def test_shape_of_a_message(text: str, found: str) -> None:
    """What differs from task to task is taken out; words stay, also those with a hyphen."""
    assert shape(text) == found


def test_letters_have_cause_place_and_wasted_receives() -> None:
    """What is done is no dead letter. One that no function ran for has no error, and says why nobody tried."""
    table = letters_table(
        [entry(dead_lettered(), "m1", "a line"), entry(completed(), "m1"), entry(throttled("m7"), "m7")]
    )

    first, second = table.to_dict("records")
    assert (first["queue"], first["function"], first["error_type"], first["shape"]) == (
        "tasks", "processor", "ValueError", "on purpose",
    )  # fmt: skip
    assert (first["receives"], first["tried"], first["untried"]) == (3, 1, 2)
    assert (first["why_untried"], first["age_s"], first["last_lines"]) == ("no environment was free", 122.5, "a line")
    assert (second["error_type"], second["function"], second["untried"]) == ("no function ran", "", 1)


def test_causes_are_counted_most_frequent_first() -> None:
    table = letters_table([entry(dead_lettered(), "m1"), *(entry(throttled(each), each) for each in ("m7", "m8"))])

    assert causes(table)[["error_type", "letters", "receives", "untried", "example"]].values.tolist() == [
        ["no function ran", 2, 2, 2, "m7"],
        ["ValueError", 1, 3, 2, "m1"],
    ]
    assert untried_receives(table).values.tolist() == [["tasks", "no environment was free", 3, 4]]


def test_run_without_dead_letters_has_no_causes() -> None:
    table = letters_table([entry(completed(), "m1")])

    assert len(causes(table)) == len(untried_receives(table)) == 0
