"""The record is read once, and what is asked for is found in the chunks that have it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dlqlab.emulator.recorder.chunks import SUFFIX, Row, encode, encode_row
from dlqlab.emulator.recorder.rows import (
    ENDED,
    ENDED_FIELDS,
    MESSAGE,
    MESSAGE_FIELDS,
    STARTED,
    STARTED_FIELDS,
)
from dlqlab.emulator.xray import recorded
from dlqlab.emulator.xray.chunk_index import ChunkIndex
from dlqlab.traces.model import About


def row(tag: str, fields: Iterable[str], **values: Any) -> Row:
    return (tag, *(values.get(name) for name in fields))


def trace(number: int) -> str:
    return f"1-{number:08x}-{number:024x}"


def sent(number: int, **more: Any) -> Row:
    values = {"seq": number * 10, "ts": float(number * 10), "queue": "arn:aws:sqs:eu-central-1:1:q"}
    values |= {"message_id": f"m{number}", "kind": "sent", "actor_kind": "client"}
    return row(MESSAGE, MESSAGE_FIELDS, **{**values, "trace_header": f"Root={trace(number)}", **more})


def started(number: int, *given: str) -> Row:
    values = {"seq": number * 10 + 1, "started_ts": number * 10 + 1.0, "request_id": f"i{number}", "function": "f"}
    return row(STARTED, STARTED_FIELDS, **values, source_arn="arn:aws:sqs:eu-central-1:1:q", message_ids=list(given))


def ended(number: int) -> Row:
    values = {"started_seq": number * 10 + 1, "ended_ts": number * 10 + 2.0, "outcome": "ok"}
    return row(ENDED, ENDED_FIELDS, **values, trace_header=f"Root={trace(number)}")


def append(folder: Path, *rows: Row, segment: int = 1) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"{segment:06}{SUFFIX}").open("ab") as file:
        file.write(encode([encode_row(row) for row in rows]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five tasks, each with its message, and its invocation's start and end, in chunks of their own."""
    for number in range(5):
        append(tmp_path / "r", sent(number), segment=number)
        append(tmp_path / "r", started(number, f"m{number}"), segment=number)
        append(tmp_path / "r", ended(number), segment=number)
    return tmp_path / "r"


def test_only_new_chunks_are_read_to_be_indexed(folder: Path) -> None:
    index = recorded.index_of(folder)
    index.starts()
    assert index.chunks_read == 15

    recorded.spans(index, [trace(1)])
    append(folder, sent(7), segment=4)

    assert index.starts()[trace(7)] == 70.0
    assert index.chunks_read == 16


def test_chunk_that_is_being_written_is_read_when_it_is_whole(folder: Path) -> None:
    index, whole = recorded.index_of(folder), encode([encode_row(sent(8))])
    with (folder / f"{5:06}{SUFFIX}").open("ab", buffering=0) as file:
        file.write(whole[:20])
        assert trace(8) not in index.starts()
        file.write(whole[20:])

    assert trace(8) in index.starts()


def test_trace_is_whole_wherever_its_rows_stand(folder: Path) -> None:
    """Message, start and end are in three chunks; of others nothing is opened."""
    index = recorded.index_of(folder)

    found = recorded.spans(index, [trace(2)])[trace(2)]

    assert [About.SEND, About.INVOCATION] == [span.about for span in found]
    assert {one[1] for one in index.rows([trace(2), "m2"])} <= {20, 21}


def test_message_that_is_received_before_its_sending_is_written_is_whole(tmp_path: Path) -> None:
    """Two threads write down what they do; the places in the order of all rows tell what came first."""
    received = sent(1, seq=11, ts=11.0, kind="received", trace_header=None, visible_after_s=30.0)
    gone = sent(1, seq=12, ts=12.0, kind="deleted", trace_header=None)
    spans = []
    for number, rows in enumerate(([sent(1), received, gone], [received, gone, sent(1)])):
        append(tmp_path / str(number), *rows)
        index = recorded.index_of(tmp_path / str(number))
        spans.append(recorded.spans(index, [trace(1)])[trace(1)])

    assert spans[0] == spans[1]
    assert About.DELIVERY in {span.about for span in spans[0]}


def test_index_that_has_forgotten_answers_the_same(folder: Path) -> None:
    """Its bounds cost time, not answers."""
    full = recorded.index_of(folder)
    small = ChunkIndex(folder, recorded.root, kept_max=3, traces_max=1)

    assert full.starts() == small.starts() == {trace(number): number * 10.0 for number in range(5)}
    for number in range(5):
        assert recorded.spans(full, [trace(number)]) == recorded.spans(small, [trace(number)])
    assert len(list(small.rows([]))) > len(list(full.rows([]))) == 0
