"""What a set of the verdict means under faults: that the pipeline broke, what it cost, or nothing that faults can do.

Every set of the message checks that tells of something wrong or open stands in one of the three, which a test holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dlqlab.analysis.message_checks.messages import LOST_SAID


@dataclass(frozen=True, slots=True)
class Harm:
    """What happened to some messages: the name of a set, what is in it, and their ids."""

    name: str
    text: str
    messages: tuple[str, ...]
    is_break: bool = True
    """Whether it makes a row broken, else degraded."""


BREAKS: Mapping[str, tuple[str, ...]] = {
    "messages": (*LOST_SAID, "open", "unread"),
    "accepted": ("without_a_message", "dropped_as_duplicate", "half_done"),
    "done": ("without_a_state", "not_done", "not_arrived"),
    "events": ("dropped",),
    "effects": ("doubled", "missing", "after_the_answer"),
    "once": ("dead_after_done",),
    "attempts": ("dead_untried", "tried_too_little"),
    "order": ("gone_on_after_a_failure", "overtook"),
    "retries": ("sent_anew_too_often", "buried_for_a_mate"),
    "dead_letters": ("unexplained", "short_lived", "lost_there"),
    "alarms": ("unheard",),
}
COSTS: Mapping[str, tuple[str, ...]] = {
    "once": ("at_once", "done_again"),
    "retries": ("raised_for_a_mate", "redone_for_a_mate", "answer_unread", "early", "late"),
    "attempts": ("burnt", "tried_too_often"),
    "alarms": ("did_not_go_off",),
    "messages": ("without_follow_up",),
    "backlog": ("too_slow",),
}
"""Sets of the message checks by what a member of theirs means here."""
MISTAKES = frozenset({"at_once", "raised_for_a_mate", "redone_for_a_mate", "answer_unread", "early", "late"})
"""Costs that a mistake of the pipeline makes, and no fault by itself."""
NO_HARMS: Mapping[str, Mapping[str, str]] = {
    "alarms": {"cannot_go_off": "so it is without faults too; whose dead letters nobody hears of is told as unheard"},
    "done": {
        "dead_lettered": "the sets of dead letters tell which are wrong",
        "ended_before": "about the keys of the load, not about faults",
    },
    "effects": {"failed_after_it": "an effect of a message that is no success yet: once, as it stands"},
    "events": {"open": "Lambda tries asynchronous invocations again for hours; a row ends before"},
    "failure_rates": {"never_succeeded": "the faults themselves may fail every attempt"},
    "faults": {
        "not_failed": "a disagreement of plan and emulator, which is no fault of the pipeline",
        "not_dropped": "a disagreement of plan and emulator",
        "not_expired": "a disagreement of plan and emulator",
        "not_late": "a disagreement of plan and emulator",
        "not_stopped": "a disagreement of plan and emulator",
        "not_retried": "told by the sets of lost messages",
        "not_dead_lettered": "told by the sets of lost messages",
        "struck_unplanned": "a disagreement of plan and emulator",
        "unexplained": "told by the set of the same name of dead_letters",
    },
    "finished": {"bad_lines": "of pipelines that log events of their own"},
    "dead_letters": {"written_by_a_client": "the load writes to no dead-letter queue"},
    "same_end": dict.fromkeys(("missing", "more", "changed", "unsettled"), "needs reference plays, which no row has"),
}
"""Sets that make no row worse, with the reason."""
