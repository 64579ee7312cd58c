"""Chunks of rows in a file: appended whole, checked when read, and a torn last one is recognised. Pure.

The form is described in ``dlqlab.contracts.recording``. A payload is a list of rows by ``marshal``, the quickest
encoding that Python has, in version 4, which every Python since 3.4 reads and writes. A row in it is a tuple, or bytes
that are one encoded by itself.
"""

import marshal
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

SUFFIX = ".rec"
_HEAD = struct.Struct("<4sII")
_MAGIC = b"RECD"
_MARSHAL_VERSION = 4
_ROW_VERSION = 2
"""Without the table of what comes twice, which costs more than a row has."""

Row = Sequence[Any]
"""A tag (see ``rows``) and values: None, bool, int, float, str, bytes, or lists of them."""


class TornError(Exception):
    """The file ends in the middle of a chunk, or goes on with something else."""


def encode_row(row: Row) -> bytes:
    """A row by itself, as a chunk takes it.

    Raises:
        ValueError: it has a value of another type.
    """
    encoded: bytes = marshal.dumps(row, _ROW_VERSION)  # type: ignore[arg-type]  # what it has is told by its error
    return encoded


def encode(rows: Sequence[Row | bytes]) -> bytes:
    """A chunk.

    Raises:
        ValueError: a row has a value of another type.
    """
    payload = marshal.dumps(list(rows), _MARSHAL_VERSION)
    return _HEAD.pack(_MAGIC, len(payload), zlib.crc32(payload)) + payload


def decode(file: BinaryIO) -> Iterator[list[Row]]:
    """The rows of one chunk after the other.

    Raises:
        TornError: after the last good chunk there is something that is none.
    """
    while head := file.read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise TornError
        magic, size, checksum = _HEAD.unpack(head)
        payload = file.read(size) if magic == _MAGIC else b""
        if len(payload) < size or magic != _MAGIC or zlib.crc32(payload) != checksum:
            raise TornError
        yield [_row(one) for one in marshal.loads(payload)]  # noqa: S302  (what the emulator of this user wrote, as its sum shows)


def _row(one: Row | bytes) -> Row:
    return marshal.loads(one) if isinstance(one, bytes) else one  # noqa: S302  (as above)
