"""Journals and the ledger that is made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlqlab.contracts.tables import TABLES
from dlqlab.errors import EvidenceError
from dlqlab.load.journal import Journal, outcome_of
from dlqlab.load.ledger import LedgerFollower, read_ledger


def invoked(journal: Journal, n: int) -> str:
    return journal.invoked(task_id=f"t-{n}", payload_json='{"n":1}', sent_ts=100.0 + n)


def completed(journal: Journal, request: str, status: int | None = 202) -> None:
    journal.completed(request, done_ts=200.0, status_code=status, latency_ms=1.23456, error=None)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, "acknowledged"),
        (200, "replayed"),
        (503, "refused"),
        (400, "rejected"),
        (409, "rejected"),
        (429, "rejected"),
        (500, "unknown"),
        (502, "unknown"),
        (504, "unknown"),
        (None, "unknown"),
        (201, "unknown"),
        (302, "unknown"),
    ],
)
def test_outcomes_follow_the_status(status: int | None, outcome: str) -> None:
    """Only what the API documents says anything about the task."""
    assert outcome == outcome_of(status)


def test_a_request_is_one_row(tmp_path: Path) -> None:
    """The two lines of a request become one row with all columns."""
    with Journal(tmp_path, "w0") as journal:
        completed(journal, invoked(journal, 1))

    ledger = read_ledger(tmp_path)

    expected = {
        "task_id": "t-1",
        "request_id": "w0-00000001",
        "payload": '{"n":1}',
        "worker": "w0",
        "sent_ts": 101.0,
        "done_ts": 200.0,
        "outcome": "acknowledged",
        "status_code": 202,
        "latency_ms": 1.235,
    }
    assert expected == ledger.rows.iloc[0].dropna().to_dict()
    assert list(TABLES["ledger"]) == list(ledger.rows.columns)
    assert (ledger.torn_lines, ledger.never_completed) == (0, 0)


def test_a_line_is_on_disk_before_the_call_returns(tmp_path: Path) -> None:
    """No buffer is between a row and the operating system."""
    journal = Journal(tmp_path, "w0")
    invoked(journal, 1)
    on_disk = (tmp_path / "w0.jsonl").read_text()
    journal.close()

    assert json.loads(on_disk)["task_id"] == "t-1"


def test_a_request_without_an_end_is_unknown(tmp_path: Path) -> None:
    """A load generator that died leaves requests whose outcome nobody knows."""
    with Journal(tmp_path, "w0") as journal:
        first = invoked(journal, 1)
        invoked(journal, 2)
        completed(journal, first)

    ledger = read_ledger(tmp_path)

    assert list(ledger.rows["outcome"]) == ["acknowledged", "unknown"]
    assert list(ledger.rows["done_ts"].isna()) == [False, True]
    assert ledger.never_completed == 1


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_torn_last_line_costs_that_line_only(tmp_path: Path, cut: int) -> None:
    """A crash in the middle of a completion leaves its request with an unknown outcome."""
    with Journal(tmp_path, "w0") as journal:
        completed(journal, invoked(journal, 1))
    path = tmp_path / "w0.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])

    ledger = read_ledger(tmp_path)

    assert list(ledger.rows["outcome"]) == ["unknown"]
    assert (ledger.torn_lines, ledger.never_completed) == (1, 1)


def test_parts_are_one_ledger_in_order_of_sending(tmp_path: Path) -> None:
    """Several processes' journals are one table, sorted by time."""
    with Journal(tmp_path, "w0") as one, Journal(tmp_path, "w1") as two:
        for n, journal in enumerate([two, one, one, two]):
            completed(journal, invoked(journal, n))

    rows = read_ledger(tmp_path).rows

    assert list(rows["task_id"]) == ["t-0", "t-1", "t-2", "t-3"]
    assert list(rows["worker"]) == ["w1", "w0", "w0", "w1"]


LINE: dict[str, Any] = {"kind": "invoked", "request_id": "w-1", "task_id": "t", "sent_ts": 1.0}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["nonsense"], "w.jsonl:1: is not a line"),
        (["[]"], "w.jsonl:1: is not a line"),
        ([json.dumps(LINE | {"kind": "guessed"})], "w.jsonl:1: is not a line"),
        ([json.dumps(LINE), json.dumps(LINE)], "w.jsonl:2: invoked does not fit"),
        ([json.dumps(LINE | {"kind": "completed"})], "w.jsonl:1: completed does not fit"),
    ],
)
def test_damage_that_no_crash_explains_is_an_error(tmp_path: Path, lines: list[str], message: str) -> None:
    """A ledger that contradicts itself is no evidence."""
    (tmp_path / "w.jsonl").write_text("".join(line + "\n" for line in lines))

    with pytest.raises(EvidenceError, match=message):
        read_ledger(tmp_path)


def test_a_request_id_in_two_journals_is_an_error(tmp_path: Path) -> None:
    """Two processes that use one request id cannot be told apart."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(LINE) + "\n")

    with pytest.raises(EvidenceError, match="1 request ids occur twice, such as w-1"):
        read_ledger(tmp_path)


def test_no_journal_is_an_error(tmp_path: Path) -> None:
    """A missing ledger is missing evidence, not a load of nothing."""
    with pytest.raises(EvidenceError, match="holds no journal"):
        read_ledger(tmp_path)


def test_an_empty_journal_is_an_empty_ledger(tmp_path: Path) -> None:
    """A process that sent nothing is part of the evidence, too."""
    Journal(tmp_path, "w0").close()

    assert len(read_ledger(tmp_path).rows) == 0


def test_a_journal_is_never_shared(tmp_path: Path) -> None:
    """A second journal of one name is refused."""
    Journal(tmp_path, "w0").close()

    with pytest.raises(FileExistsError):
        Journal(tmp_path, "w0")


def test_a_follower_counts_requests_as_they_come(tmp_path: Path) -> None:
    """Completions, halves of lines and prefixes inside payloads do not count; new journals do."""
    follower = LedgerFollower(tmp_path)
    seen = [follower.sent()]
    with Journal(tmp_path, "w0") as one:
        completed(one, invoked(one, 1))
        one.invoked(task_id="x", payload_json='{"kind":"invoked",', sent_ts=1.0)
        seen.append(follower.sent())
        with (tmp_path / "w1.jsonl").open("w") as half:
            half.write('{"kind":"invoked","request')
            half.flush()
            seen.append(follower.sent())
            half.write('_id":"z"}\n')
        seen.append(follower.sent())

    assert seen == [0, 2, 2, 3]
