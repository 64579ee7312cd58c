"""Messages that were worked off and led to nothing, where nearly all others of their queue led to a next message.

That is how a swallowed exception looks from outside, and also how a function looks that has nothing to send now and
then: so it is told, and speaks for nobody.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from dlqlab.analysis.flow import Flow, failures, ids, is_moved_here, successes
from dlqlab.contracts.recorded import ActorKind

MESSAGES_MIN = 10
SHARE_MIN = 0.8
"""Fewer messages that were done at once, or fewer of them with a next one, are no habit that one could miss. Those that
failed first are no measure: a function that claims a message before its work does nothing with it the next time.
"""


@dataclass(frozen=True, slots=True)
class Missing:
    """Messages of ``queue`` after which nothing entered ``then``, as it did after ``others`` of them.

    ``tried_again`` of them had failed first.
    """

    queue: str
    then: str
    messages: tuple[str, ...]
    others: int
    tried_again: int = 0

    def __str__(self) -> str:
        retried = f", {self.tried_again:,} of them when tried again" if self.tried_again else ""
        return f"no message in {self.then}, as {self.others:,} others of {self.queue} have{retried}"


def missing(flow: Flow) -> Iterator[Missing]:
    """For each two queues of work, the first of which nearly always leads to the second: the exceptions."""
    followed: dict[tuple[str, str], set[str]] = defaultdict(set)
    home = {stay.message_id: stay.queue for stay in flow.work}
    for stay in flow.work:
        if stay.sender_kind != ActorKind.INVOCATION or is_moved_here(stay):
            continue
        one = flow.parent_of(stay)
        for parent in (one,) if one else stay.parent_ids:  # which of a batch it was is not known: then any of them
            if home.get(parent, stay.queue) != stay.queue:
                followed[home[parent], stay.queue].add(parent)
    for (queue, then), parents in followed.items():
        done = [stay for stay in flow.work if stay.queue == queue and successes(stay)]
        without = [stay for stay in done if stay.message_id not in parents]
        at_once = [stay.message_id in parents for stay in done if not failures(stay)]
        if without and len(at_once) >= MESSAGES_MIN and sum(at_once) / len(at_once) >= SHARE_MIN:
            tried_again = sum(bool(failures(stay)) for stay in without)
            yield Missing(queue, then, ids(without), len(done) - len(without), tried_again)
