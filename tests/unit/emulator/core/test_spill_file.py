"""What is set aside comes back as it was, from the file and from what is not yet written."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.core import spill_file
from dlqlab.emulator.core.spill_file import BLOCK_BYTES, SpillFile


@given(sizes=st.lists(st.one_of(st.integers(0, 300), st.integers(BLOCK_BYTES - 2, 3 * BLOCK_BYTES)), max_size=12))
def test_pieces_come_back(sizes: list[int]) -> None:
    """Whether they lie in one block, across blocks, or at the end."""
    kept = SpillFile()
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes, start=1)]
    places = [kept.put(piece) for piece in pieces]

    assert pieces == [kept.get(place, len(piece)) for place, piece in zip(places, pieces, strict=True)]


def test_file_has_no_name(tmp_path: Path) -> None:
    """Nothing is left behind, however the process ends."""
    SpillFile(tmp_path).put(b"x" * BLOCK_BYTES)

    assert not list(tmp_path.iterdir())


def test_full_disk_costs_memory_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and written when there is room again."""
    kept, warnings = SpillFile(), list[tuple[object, ...]]()
    # Not through the logging of this process, which whatever ran before may have set up in its own way.
    monkeypatch.setattr(spill_file._LOG, "warning", lambda *said: warnings.append(said))
    pieces = [bytes([number]) * BLOCK_BYTES for number in range(1, 5)]
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", _no_space)
        places = [kept.put(piece) for piece in pieces[:3]]
        assert pieces[:3] == [kept.get(place, BLOCK_BYTES) for place in places]
    places.append(kept.put(pieces[3]))

    assert pieces == [kept.get(place, BLOCK_BYTES) for place in places]
    assert len(warnings) == 1
    assert not kept._tail


def test_full_disk_is_tried_a_block_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with every piece: each try takes all that waits."""
    kept, tries = SpillFile(), 0

    def refuse(*_arguments: object) -> int:
        nonlocal tries
        tries += 1
        return _no_space()

    monkeypatch.setattr(os, "pwrite", refuse)
    for _ in range(3 * 64):
        kept.put(b"x" * (BLOCK_BYTES // 64))

    assert tries == 3


def _no_space(*_arguments: object) -> int:
    raise OSError(28, "No space left on device")
