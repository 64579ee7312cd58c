"""Rows get to disk and back, whatever the disk does; what is lost is counted and told."""

import errno
import logging
import os
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.core import isolation
from dlqlab.emulator.recorder import journal as journals
from dlqlab.emulator.recorder.chunks import TornError, decode, encode, encode_row
from dlqlab.emulator.recorder.journal import BACKLOG, DISK, VALUE, Journal
from dlqlab.emulator.recorder.parts import Said, read_parts
from dlqlab.emulator.recorder.reader import read
from dlqlab.emulator.recorder.rows import ASKED, ENDED, MESSAGE, UNFINISHED_ENDED, UNFINISHED_MESSAGE
from dlqlab.emulator.recorder.witness import Witness
from dlqlab.errors import EvidenceError

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


@pytest.fixture(autouse=True)
def _said_nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings are said once in each process."""
    isolation._failures.clear()
    monkeypatch.setattr(logging.getLogger("dlqlab.emulator.core.isolation"), "disabled", False)


def note(journal: Journal, message_id: str) -> None:
    Witness(journal).message(Kind.RECEIVED, QUEUE, message_id, receive_count=1)


def ids(folder: Path) -> list[str]:
    return [row["message_id"] for row in read(folder).messages.to_pylist()]


def test_what_is_given_is_read_in_order_of_time(tmp_path: Path) -> None:
    """Also where a later row was given first, as threads may do; the record that was closed says so."""
    journal = Journal(tmp_path)
    witness = Witness(journal)
    first = witness.stamp()
    witness.message(Kind.DELETED, QUEUE, "m", receive_count=1)
    witness.message(Kind.RECEIVED, QUEUE, "m", stamp=first, receive_count=1)
    assert journal.flush()
    assert not read(tmp_path).is_ended
    journal.close()
    record = read(tmp_path, cell=3)

    assert ["received", "deleted"] == record.messages["kind"].to_pylist()
    assert [3, 3] == record.messages["cell"].to_pylist()
    assert ((), True) == (record.gaps, record.is_ended)


def test_rows_are_written_without_being_asked_for(tmp_path: Path) -> None:
    """The thread writes soon after, and ends with the journal."""
    written = threading.Event()

    class Told(Journal):
        def flush(self) -> bool:
            done = super().flush()
            if list(tmp_path.iterdir()):
                written.set()
            return done

    journal = Told(tmp_path)
    note(journal, "m")
    journal.start()
    assert written.wait(30)

    assert ["m"] == ids(tmp_path)
    journal.close()


@given(cut=st.integers(1, 10_000))
def test_torn_end_costs_no_more_than_its_chunk(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Wherever a file was cut, everything before the torn chunk is read, and the record says that it is torn."""
    folder = tmp_path_factory.mktemp("record")
    journal = Journal(folder)
    for number in range(5):
        note(journal, str(number))
        journal.flush()
    (segment,) = folder.iterdir()
    whole = segment.read_bytes()
    each = len(whole) // 5
    segment.write_bytes(whole[: -min(cut, len(whole))])
    left = max(0, len(whole) - cut)

    said = Said()
    parts = [part for name, part in read_parts(folder, said) if name == "messages"]
    assert [str(number) for number in range(left // each)] == [
        message_id for part in parts for message_id in part.column("message_id").to_pylist()
    ]
    assert bool(left % each) == bool(said.gaps())


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters()),
    st.sampled_from(["\ud83d", "x" * 300]),
    st.binary(),
    st.lists(st.text(), max_size=3),
    st.dictionaries(st.text(), st.text(), max_size=2),
)


@given(chunks=st.lists(st.lists(st.lists(_VALUES, max_size=5).map(tuple), max_size=5), max_size=3))
def test_rows_are_read_as_they_were(chunks: list[list[tuple[Any, ...]]]) -> None:
    """Also half a surrogate pair, which SQS takes."""
    file = BytesIO(b"".join(encode([encode_row(row) for row in rows]) for rows in chunks))

    assert chunks == list(decode(file))


def test_beginning_of_an_invocation_stands_before_its_end(tmp_path: Path) -> None:
    """Although that one is finished later; who reads while it is written relies on it."""
    journal = Journal(tmp_path, {UNFINISHED_ENDED: lambda row: [(ENDED, *row[1:])]})
    for number in range(3):
        journal.give_finished((ASKED, number))
        journal.give((UNFINISHED_ENDED, number))
    journal.flush()
    (segment,) = tmp_path.iterdir()
    with segment.open("rb") as file:
        places = [row for rows in decode(file) for row in rows]

    assert all(places.index((ASKED, number)) < places.index((ENDED, number)) for number in range(3))


def test_rows_that_come_while_others_are_taken_are_left(tmp_path: Path) -> None:
    """What several threads give meanwhile is all written, once."""
    journal, count = Journal(tmp_path), 2_000

    def give(name: str) -> None:
        for number in range(count):
            note(journal, f"{name} {number}")

    threads = [threading.Thread(target=give, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        journal.flush()
    journal.flush()

    assert sorted(f"{name} {number}" for name in "abc" for number in range(count)) == sorted(ids(tmp_path))


def test_changed_byte_is_recognised(tmp_path: Path) -> None:
    """A chunk whose sum is wrong is not believed."""
    file = tmp_path / "000001.rec"
    data = encode([encode_row(("m", "abc"))])
    data[-1] ^= 1
    file.write_bytes(encode([encode_row(("m", "good"))]) + data)

    with file.open("rb") as opened:
        chunks = decode(opened)
        assert [("m", "good")] == next(chunks)
        with pytest.raises(TornError):
            next(chunks)


def test_folder_without_a_record_is_an_error(tmp_path: Path) -> None:
    """Nobody takes a missing record for an empty one."""
    with pytest.raises(EvidenceError, match="holds no record"):
        read(tmp_path)


def test_full_disk_is_warned_about_once_and_told_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows are lost while there is no room, those before and after are there; nothing of half a chunk is left."""
    journal = Journal(tmp_path)
    note(journal, "before")
    assert journal.flush()
    real = os.write

    def half(fd: int, data: memoryview) -> int:
        if len(data) > 10:
            return real(fd, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    for number in range(3):
        note(journal, f"lost {number}")
        assert not journal.flush()
    monkeypatch.undo()
    note(journal, "after")
    assert journal.flush()

    assert ["before", "after"] == ids(tmp_path)
    assert {DISK: 3} == journal.lost()
    assert ("3 rows are missing: the disk did not take them",) == read(tmp_path).gaps
    warned = [record.message for record in caplog.records if "No space left" in record.message]
    assert 1 == len(warned)
    assert "messages and invocations go on unchanged" in warned[0]


def test_closed_file_loses_nothing(tmp_path: Path) -> None:
    """Another file is begun."""
    journal = Journal(tmp_path)
    note(journal, "one")
    journal.flush()
    os.close(journal._segment._fd or -1)
    note(journal, "two")
    assert journal.flush()

    assert 2 == len(list(tmp_path.iterdir()))
    assert ["one", "two"] == ids(tmp_path)
    assert () == read(tmp_path).gaps


def test_folder_that_cannot_be_written_is_warned_about_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever gives rows hears nothing of it."""
    (tmp_path / "file").write_text("in the way of a folder")
    journal = Journal(tmp_path / "file")
    for _ in range(3):
        note(journal, "m")
        assert not journal.flush()

    assert {DISK: 3} == journal.lost()
    assert 2 == len(caplog.records)  # why it cannot be written, and that rows are lost


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that cannot follow costs rows and no memory; it goes on afterwards."""
    monkeypatch.setattr(journals, "WAITING_MAX_BYTES", 10 * journals.ROW_BYTES)
    journal = Journal(tmp_path)
    for number in range(25):
        note(journal, str(number))
    assert {BACKLOG: 15} == journal.lost()
    journal.flush()
    note(journal, "later")
    journal.flush()

    assert [*map(str, range(10)), "later"] == ids(tmp_path)
    assert ("15 rows are missing: the recorder could not follow",) == read(tmp_path).gaps


def test_value_that_cannot_be_written_costs_its_own_row(tmp_path: Path) -> None:
    """The others of its chunk are written."""
    journal = Journal(tmp_path)
    note(journal, "good")
    journal.give(("m", object()))
    journal.give_finished(("m", object()))
    journal.flush()

    assert {VALUE: 2} == journal.lost()
    assert ["good"] == ids(tmp_path)


def test_row_whose_finishing_fails_costs_only_itself(tmp_path: Path) -> None:
    """A body that nobody can read, say."""

    def finish(row: Any) -> list[Any]:
        if row[4] == "bad":
            raise ValueError("no")
        return [(MESSAGE, *row[1:])]

    journal = Journal(tmp_path, {UNFINISHED_MESSAGE: finish})
    for message_id in ("one", "bad", "two"):
        Witness(journal).message(Kind.SENT, QUEUE, message_id, body="7")
    journal.flush()

    assert ["one", "two"] == ids(tmp_path)
    assert {VALUE: 1} == journal.lost()
