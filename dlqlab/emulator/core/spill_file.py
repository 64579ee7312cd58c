"""Bytes set aside in a file: what the emulator must keep for as long as it runs and rarely reads.

A log line in a file of a page cache costs the emulator no memory, and its collector of garbage no look. The file has
no name, so it is gone with the process, however that ends. What was set aside stays there: the file only grows.
"""

import functools
import logging
import os
import tempfile
import threading
import weakref
from pathlib import Path

from dlqlab.emulator import settings

BLOCK_BYTES = 65_536
BLOCKS_KEPT = 64
"""Blocks that stay in memory after they were read. Lines and items are mostly read in the order of their arrival."""

_LOG = logging.getLogger(__name__)


class SpillFile:
    """Keeps pieces of bytes under the place at which they lie. Safe for many threads."""

    def __init__(self, folder: Path | None = None) -> None:
        """Args:
        folder: where the file lies; the system's folder for such files unless given.
        """
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  (open as long as this lives)
        self._lock = threading.Lock()
        self._blocks = 0
        """Whole blocks in the file."""
        self._tail = bytearray()
        """What comes after them. Written a block at a time: each write lets another thread have the interpreter."""
        self._write_from = BLOCK_BYTES
        """Bytes of the tail from which on it is worth trying."""
        self._is_full = False
        self._read = functools.lru_cache(BLOCKS_KEPT)(functools.partial(_read_block, self._file.fileno()))
        weakref.finalize(self, self._file.close).atexit = False  # threads may still read then

    def put(self, piece: bytes) -> int:
        """Set the piece aside; its place.

        A disk that is full costs memory, not the piece.
        """
        with self._lock:
            place = self._blocks * BLOCK_BYTES + len(self._tail)
            self._tail += piece
            if len(self._tail) >= self._write_from:
                self._write()
        return place

    def get(self, place: int, size: int) -> bytes:
        """The piece of this size at this place."""
        end = place + size
        number, first = divmod(place, BLOCK_BYTES)
        piece = self._block(number)[first : first + size]
        while place + len(piece) < end:
            number += 1
            piece += self._block(number)[: end - place - len(piece)]
        return piece

    def _block(self, number: int) -> bytes:
        with self._lock:
            if number >= self._blocks:
                start = (number - self._blocks) * BLOCK_BYTES
                return bytes(self._tail[start : start + BLOCK_BYTES])
        return self._read(number)

    def _write(self) -> None:
        whole = len(self._tail) // BLOCK_BYTES
        size = whole * BLOCK_BYTES
        try:
            written = os.pwrite(self._file.fileno(), self._tail[:size], self._blocks * BLOCK_BYTES)
        except OSError as error:
            written = 0
            if not self._is_full:
                _LOG.warning("logs and items stay in memory, because the disk does not take them: %s", error)
            self._is_full = True
        else:
            self._is_full = False
        kept = written // BLOCK_BYTES  # the rest of a block that was written in part is written again
        self._blocks += kept
        del self._tail[: kept * BLOCK_BYTES]
        self._write_from = BLOCK_BYTES if kept == whole else len(self._tail) + BLOCK_BYTES


def _read_block(file: int, number: int) -> bytes:
    return os.pread(file, BLOCK_BYTES, number * BLOCK_BYTES)


@functools.cache
def spill_file() -> SpillFile:
    """The one of this emulator, in its own folder."""
    state = os.environ.get(settings.STATE_DIR)
    return SpillFile(Path(state) if state else None)
