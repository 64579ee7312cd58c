"""Writes down what the hooks see. What goes wrong in here is warned about once, counted, and changes nothing else."""

import itertools
import time
from collections.abc import Sequence
from time import monotonic

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder.actors import HERE, Actor
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.rows import MESSAGE, UNFINISHED_MESSAGE

FAILED = "failed"
"""Why rows are lost: the recorder itself failed."""

Stamp = tuple[int, float]
"""Place in the order of all rows, and time."""


class Witness:
    """Takes what happened to the journal.

    Its clock is the system's at the start and never goes back, so that what follows in order follows in time too.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.give_finished = journal.give_finished
        self.numbers = itertools.count(1)
        """The next place in the order."""
        self.epoch = time.time() - monotonic()
        """What makes seconds since the epoch of those of the monotonic clock."""

    def stamp(self) -> Stamp:
        """To be taken before others can see what happens, so that what they do with it comes after."""
        return next(self.numbers), self.epoch + monotonic()

    def failed(self, error: Exception) -> None:
        self.journal.lose(FAILED, 1, f"something is not recorded: {type(error).__name__}: {error}", error)

    def message(
        self,
        kind: Kind,
        queue_arn: str,
        message_id: str,
        *,
        stamp: Stamp | None = None,
        actor: Actor | None = None,
        receive_count: int | None = None,
        delay_s: float | None = None,
        visible_after_s: float | None = None,
        group_id: str | None = None,
        dedup_id: str | None = None,
        body: str | None = None,
        parent_ids: Sequence[str] | None = None,
        trace_header: str | None = None,
    ) -> None:
        """Something happened to a message; without a stamp now, without an actor by this thread's."""
        seq, ts = stamp or self.stamp()
        who, name, request_id = actor or HERE.doing.actor
        row = (
            MESSAGE if body is None else UNFINISHED_MESSAGE,
            seq,
            ts,
            queue_arn,
            message_id,
            kind._value_,  # a plain str; the property costs half a microsecond
            receive_count,
            who,
            name,
            request_id,
            delay_s,
            visible_after_s,
            group_id,
            dedup_id,
            body,
            None,
            parent_ids,
            trace_header,
        )
        try:
            if body is None:
                self.give_finished(row)
            else:
                self.journal.give(row, len(body))
        except Exception as error:  # noqa: BLE001  (what has happened has happened)
            self.failed(error)
