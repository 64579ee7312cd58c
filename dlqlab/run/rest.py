"""When a pipeline is at rest: no queue that somebody works on holds a message, and nothing is owed that sends one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dlqlab.collect.drain import DrainProbe, DrainState
from dlqlab.collect.queues import Depth
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.owed import Owed, OwedKind
from dlqlab.contracts.topology import Topology
from dlqlab.run import owed
from dlqlab.run.injection import outlast

_EMPTY = "no queue with a consumer holds a message"
_RETRIED = "; Lambda tries a failed one again after 1 minute and after 2 more: drain.deadline_s = 240 waits for that"
"""Source: "How Lambda handles errors and retries with asynchronous invocation" (AWS Lambda developer guide)."""


@dataclass(slots=True)
class Rest:
    """The looks at one pipeline whose load is over. ``port`` is the emulator's.

    ``sampled`` gives the depths of the last samples, ``look`` those of now. ``plan`` may stop the emulator for a while.
    """

    topology: Topology
    port: int
    sampled: Callable[[], Mapping[str, Depth]]
    look: Callable[[], Mapping[str, Depth]]
    deadline_s: float
    plan: Plan = field(default_factory=Plan)
    _until_ts: float = field(init=False)
    _owed: list[Owed] = field(init=False, default_factory=list)
    _too_late: list[Owed] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._until_ts = time.time() + self.deadline_s

    def probe(self) -> DrainProbe:
        return DrainProbe(
            depths=lambda: self._consumed(self.sampled()), unfinished=self._count, unfinished_said=self.said
        )

    def said(self, unfinished: int | None) -> str:
        """What there is to wait for although the queues are empty."""
        if unfinished is None:
            return "what is owed was not asked for"
        if not self._owed:
            return ""
        hint = _RETRIED if any(one.kind is OwedKind.EVENT for one in self._owed) else ""
        return f"still to come: {owed.said(self._owed)}{hint}"

    def note(self) -> str:
        """Of a pipeline at rest: that it is, and which of its schedules nobody waited for."""
        late = f"; not waited for, as due after the deadline: {owed.said(self._too_late)}" if self._too_late else ""
        return f"{_EMPTY}{late}"

    def _count(self) -> int:
        """How much is owed. What was owed a moment ago may be a message by now: so the queues are looked at again."""
        found = outlast(self.port, self.plan, lambda: owed.owed_by(self.port))
        self._owed = owed.to_wait_for(found, self.topology, self._until_ts)
        self._too_late = owed.not_waited_for(found, self.topology, self._until_ts)
        if self._owed:
            return sum(one.n for one in self._owed)
        return DrainState(depths=self._consumed(self.look())).queued

    def _consumed(self, depths: Mapping[str, Depth]) -> Mapping[str, Depth]:
        consumed = {one.queue for one in self.topology.consumers} | {pipe.source for pipe in self.topology.pipes}
        return {role: depth for role, depth in depths.items() if role in consumed}
