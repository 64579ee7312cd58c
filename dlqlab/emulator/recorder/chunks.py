"""Chunks of rows in a file: appended whole, checked when read, and a torn last one is recognised. Pure.

The form is described in ``dlqlab.contracts.recording``. A payload is a list of rows by ``marshal``, the quickest
encoding that Python has, in version 2, which every Python reads and writes. Rows are encoded one by one, as they come.
"""

import marshal
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

SUFFIX = ".rec"
_HEAD = struct.Struct("<4sII")
_MAGIC = b"RECD"
_LIST = struct.Struct("<4sIIcI")
"""A head, and what ``marshal`` begins a list with: its letter and its length."""
MARSHAL_VERSION = 2
"""The last one without a table of what comes twice, which costs more than a row has."""

Row = Sequence[Any]
"""A tag (see ``rows``) and values: None, bool, int, float, str, bytes, or lists of them."""


class TornError(Exception):
    """The file ends in the middle of a chunk, or goes on with something else."""


def encode_row(row: Row) -> bytes:
    """A row as a chunk takes it.

    Raises:
        ValueError: it has a value of another type.
    """
    encoded: bytes = marshal.dumps(row, MARSHAL_VERSION)  # type: ignore[arg-type]  # what it has is told by its error
    return encoded


def encode(rows: Sequence[bytes]) -> bytearray:
    """A chunk of encoded rows."""
    chunk = bytearray().join((bytes(_LIST.size), *rows))
    payload_bytes = len(chunk) - _HEAD.size
    _LIST.pack_into(chunk, 0, _MAGIC, payload_bytes, 0, b"[", len(rows))
    with memoryview(chunk) as whole, whole[_HEAD.size :] as payload:
        _HEAD.pack_into(chunk, 0, _MAGIC, payload_bytes, zlib.crc32(payload))
    return chunk


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
        yield marshal.loads(payload)  # noqa: S302  (what the emulator of this user wrote, as its sum shows)
