"""Rows as the emulator wrote them, with what it leaves to readers. Pure."""

from collections.abc import Iterable, Iterator

from dlqlab.emulator.recorder.askers import started_row
from dlqlab.emulator.recorder.calls import call_rows
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.rows import ASKED, SERVED_CALL


def completed(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of the tables; those that are, or say something else, as they are."""
    for row in rows:
        if row[0] == SERVED_CALL:
            yield from call_rows(row)
        elif row[0] == ASKED:
            yield started_row(row)
        else:
            yield row
