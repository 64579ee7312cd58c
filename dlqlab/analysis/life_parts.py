"""What a life is made of.

A **stay** is what happened to one message in one queue, from ``sent`` until it left; a **delivery** is one receive of
it with all that followed until the next one; an **attempt** is one invocation. Times are seconds since the epoch.
"""

from dataclasses import dataclass
from enum import StrEnum

from dlqlab.contracts.recorded import Outcome

_ALL_FAILED = frozenset({"BatchProcessingError", "FullBatchFailureError"})
"""Of Powertools for AWS Lambda in Python and TypeScript: its batch processors raise them where no message succeeded."""


class Fate(StrEnum):
    """What became of a delivery."""

    DONE = "done"
    """Deleted: by the mapping whose function was done with it, by a function, by a client."""
    FAILED = "failed"
    """The function had it, and failed or said that it failed."""
    NOT_TRIED = "not tried"
    """No function had it, as far as is recorded."""
    OPEN = "open"
    """Neither is known: the record ends before, or an invocation of it has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that an invocation or a client made."""

    ts: float
    duration_s: float
    who: str | None
    service: str
    operation: str | None
    resource: str | None
    item_key: str | None
    status: int
    error_code: str | None
    request_id: str | None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One invocation that had the message, sent it, or was about it.

    ``failed``: it names the message as failed, or all failed with it; None where it had no messages. ``is_named``: the
    answer names it in batchItemFailures, whether or not the mapping asks for them; None where that is not known.
    ``is_misread``: the answer calls it failed in a form that Lambda does not read. ``reports_failures``: whether its
    mapping asks which messages failed. ``calls`` are those that are about the message or about none;
    ``calls_of_mates`` counts those about others of its batch.
    ``is_about``: whether a call is about this message; None where no call tells one message of its batch from another.
    ``next_started_ts``: when the next invocation of its environment started, where there was one. ``fault``: the fault
    from outside that struck it, by its name; so for calls, deliveries and stays.
    """

    request_id: str
    function: str
    environment: str | None
    source: str | None
    started_ts: float
    ended_ts: float | None
    init_s: float | None
    duration_s: float | None
    outcome: str | None
    error_type: str | None
    error_message: str | None
    message_ids: tuple[str, ...]
    failed: bool | None
    client_request_id: str | None
    calls: tuple[Call, ...] = ()
    calls_of_mates: int = 0
    is_about: bool | None = None
    is_named: bool | None = None
    is_misread: bool = False
    reports_failures: bool | None = None
    next_started_ts: float | None = None
    fault: str | None = None

    @property
    def batch(self) -> int:
        """How many messages it was given."""
        return len(self.message_ids)

    @property
    def has_run(self) -> bool:
        """Whether the function's code had the event."""
        return self.outcome not in {None, Outcome.THROTTLED, Outcome.INIT_ERROR}

    @property
    def has_failed(self) -> bool:
        """Whether the code had the message and did not do it, by its own word or by its end."""
        return self.has_run and bool(self.failed or self.is_named or self.is_misread)

    @property
    def is_answer_unread(self) -> bool:
        """Whether it failed with its batch only because Lambda could not read the answer: no JSON, no list, or an
        identifier that is not one of the batch's message ids.
        """
        return self.outcome == Outcome.OK and bool(self.failed) and self.is_named is False

    @property
    def says_that_all_failed(self) -> bool:
        """Whether its error is that of a library of partial batch responses, which raises once every message failed."""
        return self.error_type in _ALL_FAILED

    @property
    def has_succeeded(self) -> bool:
        """Whether the code had the message, answered, and did not call it failed."""
        return self.outcome == Outcome.OK and not (self.failed or self.is_named or self.is_misread)

    @property
    def error(self) -> str | None:
        """``ValueError: on purpose``, as far as it is known."""
        return ": ".join(part for part in (self.error_type, self.error_message) if part) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """The visibility timeout was changed to ``seconds`` from then."""

    ts: float
    seconds: float
    by: str
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One receive. ``waited_s`` is how long the message was visible before; ``ended`` how it ended (a ``Kind``).

    ``is_counted`` is False where a mapping put it back and its receive count is as before.
    """

    receive_count: int | None
    received_ts: float
    waited_s: float | None
    visible_after_s: float | None
    actor_kind: str
    actor: str
    hidden: tuple[Hiding, ...]
    ended_ts: float | None
    ended: str | None
    ended_by: str | None
    is_counted: bool
    attempts: tuple[Attempt, ...] = ()
    fate: Fate = Fate.OPEN
    reason: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One message in one queue. ``link`` says how it belongs to what came before; ``left`` is a ``Kind`` or None.

    ``possible_parents`` are several where the record cannot tell which it comes from.
    """

    message_id: str
    queue: str
    sent_ts: float | None
    delay_s: float
    sender_kind: str | None
    sender: str | None
    sender_request_id: str | None
    parent_ids: tuple[str, ...]
    trace_id: str | None
    group_id: str | None
    body: str | None
    deliveries: tuple[Delivery, ...]
    left: str | None
    left_ts: float | None
    left_by: str | None
    left_late: bool
    late_deletes: tuple[float, ...]
    link: str = ""
    fault: str | None = None
