"""Whether a message that was deleted from its queue had its work done, or was lost."""

from enum import StrEnum

from dlqlab.analysis.flow import failures, successes
from dlqlab.analysis.life_parts import Stay
from dlqlab.contracts.recorded import ActorKind


class Deletion(StrEnum):
    """What a delete of a message means."""

    DONE = "done"
    """After an attempt that succeeded, or by a consumer that is no event source mapping."""
    NAMED_IN_VAIN = "named_in_vain"
    """Named in batchItemFailures, for which its mapping does not ask."""
    CALLED_FAILED_IN_VAIN = "called_failed_in_vain"
    """The answer calls it failed in a form that Lambda does not read."""
    UNFINISHED = "deleted_unfinished"
    """Every attempt failed."""
    UNTRIED = "deleted_untried"
    """By its mapping, without an attempt."""


def deletion_of(stay: Stay) -> Deletion:
    """What the delete means that ended this stay."""
    failed = failures(stay)
    if successes(stay) or _is_taken_otherwise(stay):
        return Deletion.DONE
    if not failed:
        return Deletion.UNTRIED
    if failed[-1].is_misread:
        return Deletion.CALLED_FAILED_IN_VAIN
    return Deletion.NAMED_IN_VAIN if failed[-1].is_named and not failed[-1].failed else Deletion.UNFINISHED


def _is_taken_otherwise(stay: Stay) -> bool:
    """Whether somebody who polls by himself received it, a client, a function, a pipe: only he knows how it went."""
    return bool(stay.deliveries) and stay.deliveries[-1].actor_kind != ActorKind.MAPPING
