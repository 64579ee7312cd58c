"""What to do about what breaks: the lint rule that is about it, and a remedy."""

from collections.abc import Mapping
from dataclasses import dataclass

from dlqlab.lint.rules import RULES, TOPOLOGY_RULES

DOUBLED_TEXT = "Its work had an effect more than once, as the calls show"
RECOGNISED_TEXT = "Sent twice, and whoever worked on both did nothing twice, as the calls show"
NEVER_MADE_TEXT = (
    "Counts as done although a call of its work was refused and nobody made it again: the exception is swallowed, or "
    "the next attempt takes the work for done"
)
WRONGLY_BURIED = "Dead-lettered although its work can be done: the fault took attempts that it needed."
MAYBE_BURIED = (
    "Dead-lettered after a strike, and the code failed it each other time: perhaps it had died without the strike too."
)
TAKEN_ALONG = "No fault struck it: it failed with its batch, and was tried again."
HELD_UP = "Nothing struck it, and it took far longer than without faults."


@dataclass(frozen=True, slots=True)
class Advice:
    """The id of a lint rule, empty where none is about it, and the remedy."""

    rule: str
    remedy: str


_REMEDIES: Mapping[str, str] = {one.id: one.remedy for one in RULES} | {one.id: one.remedy for one in TOPOLOGY_RULES}
_IDEMPOTENT = (
    "Make the work idempotent: a condition on the write (attribute_not_exists), or the message's id recorded in the "
    "same transaction as the effect."
)
_FULL_BATCH = "whole-batch-retries"
_NAME_THEM = "Name failed messages in batchItemFailures, and raise for none of them."
_STOP_THERE = "In a FIFO group name the failed message and all after it as failed."
_THROTTLES = (
    "receives-survive-throttles",
    (
        "Raise maxReceiveCount to 5 or more, so that receives at which no code runs are to spare; where throttles burn "
        "them, give the mapping a MaximumConcurrency within the function's concurrency."
    ),
)
_UNFINISHED = "Look at one of them: dlqlab trace KEY shows where its work ended."
_BY_RULE: Mapping[str, str] = {
    "filtered": "filter-deletes",
    "redone_for_a_mate": _FULL_BATCH,
    "unread": "queue-unread",
}
_BY_HAND: Mapping[str, tuple[str, str]] = {
    "called_failed_in_vain": (
        "",
        'Answer {"batchItemFailures": [{"itemIdentifier": MESSAGE_ID}]} itself, and ask for it in the mapping.',
    ),
    "named_in_vain": ("silent-loss", "Set FunctionResponseTypes of the mapping to ReportBatchItemFailures."),
    "expired": ("", "Raise the queue's MessageRetentionPeriod (up to 14 days), or try again less often or sooner."),
    "burnt": _THROTTLES,
    "dead_untried": _THROTTLES,
    "tried_too_little": _THROTTLES,
    "tried_too_often": ("", "Lower maxReceiveCount to the attempts that are promised, or promise more."),
    "swallowed": ("failures-raise", "Let the exception reach Lambda, or name the message in batchItemFailures."),
    "never_made_again": (
        "failures-raise",
        (
            "Raise, or name the message, when a call fails; and write what guards against doing it twice with the "
            "effect itself, or after it."
        ),
    ),
    "early": (
        "",
        "Set the wait when the work fails: ChangeMessageVisibility, or DelaySeconds where it is sent anew.",
    ),
    "late": (
        "",
        "Shorten the wait after a failure, or the queue's visibility timeout; or promise a longer one.",
    ),
    "short_lived": (
        "dead-letters-outlive-tasks",
        "Keep messages longer in the dead-letter queue than in its source: 14 days.",
    ),
    "lost_there": ("", "Keep dead letters 14 days, and purge no dead-letter queue before it was looked at."),
    "unexplained": ("", "Look at who receives it: dlqlab trace KEY shows every receive."),
    "unheard": (
        "letters-unwatched",
        (
            "Let the alarm look at ApproximateNumberOfMessagesVisible of the dead-letter queue: messages that are "
            "moved there count in no NumberOfMessagesSent."
        ),
    ),
    "did_not_go_off": ("", "Look at the alarm's periods, and at what it does with missing data."),
    "without_a_state": ("", _UNFINISHED),
    "not_done": ("", _UNFINISHED),
    "not_arrived": ("", _UNFINISHED),
    "without_follow_up": ("", "Raise, or name the message, when what follows cannot be sent."),
    "too_slow": ("", "Give the function more concurrency, or promise a longer time."),
    "buried_perhaps": ("receives-are-few", "Raise maxReceiveCount to 5 or more."),
    "deleted_unfinished": ("", "Delete nothing in the handler: return, or raise, and let the mapping delete."),
    "dropped_as_duplicate": (
        "",
        "Give each task a MessageDeduplicationId of its own, made of its key, not of what tasks share.",
    ),
    "refused_in_a_batch": ("", "Look at Failed in the answer to a batch: send those entries again, or fail."),
    "dropped": ("", "Give the function an on-failure destination or a dead-letter queue (DeadLetterConfig)."),
    "after_the_answer": ("", "Await all that the handler starts before it returns: Promise.all, not forEach."),
    "sent_anew_too_often": ("", "Count in the message how often it was sent anew, and end with a dead letter."),
    "answer_unread": (
        "",
        'Answer {"batchItemFailures": [{"itemIdentifier": MESSAGE_ID}]}, with ids of the batch alone.',
    ),
    "buried_for_a_mate": ("", _NAME_THEM),
    "deleted_untried": ("", "Look at who deletes it: dlqlab trace KEY shows it."),
    "purged": ("", "Purge no queue that works."),
    "open": ("redrive-policy", "Give the queue a redrive policy, or a shorter visibility timeout, so that it ends."),
    "without_a_message": ("", "Answer that a request is accepted only after its message is sent."),
    "half_done": ("", "Send the message before the item is written, or from a stream of the table (an outbox)."),
    "doubled": ("", _IDEMPOTENT),
    "effect_twice": ("", _IDEMPOTENT),
    "sent_twice": (
        "",
        "Nothing: the consumer is idempotent. A FIFO queue with a deduplication id would spare it the second.",
    ),
    "done_again": ("", _IDEMPOTENT),
    "at_once": ("visibility-is-ample", "Raise the visibility timeout to 6 times the function's timeout."),
    "missing": ("failures-raise", "Let the handler fail, or name the message, when its work is not done."),
    "dead_after_done": ("receives-are-few", f"Raise maxReceiveCount to 5 or more. {_IDEMPOTENT}"),
    "buried_wrongly": (
        "receives-are-few",
        "Raise maxReceiveCount to 5 or more, and report single messages of a batch as failed.",
    ),
    "gone_on_after_a_failure": ("", _STOP_THERE),
    "overtook": ("", _STOP_THERE),
    "raised_for_a_mate": ("", _NAME_THEM),
    "taken_along": ("", "Nothing but smaller batches spares it: the invocation failed as a whole."),
    "held_up": ("", "Keep slow and failing work from the rest: a concurrency, batch or queue of its own."),
}


def advice(harm: str) -> Advice:
    """What to do about a harm, by its name."""
    if harm in _BY_RULE:
        return Advice(_BY_RULE[harm], _REMEDIES[_BY_RULE[harm]])
    rule, remedy = _BY_HAND.get(harm, ("", "Look at one of the messages: dlqlab trace KEY shows its life."))
    return Advice(rule if rule in _REMEDIES else "", remedy)
