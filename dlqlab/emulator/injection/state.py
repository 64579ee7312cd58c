"""The plan in force: since when, what has been reached, how often each fault has struck."""

import functools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from dlqlab.contracts.injection import Case, Fault, Place, Plan, draw, given_key, struck
from dlqlab.emulator.core.strikes import Strike, tell
from dlqlab.lineage.keys import key_finder

_LOG = logging.getLogger(__name__)

Fits = Callable[[Fault], bool]
"""Whether a fault is meant for this function, queue, call or request."""


class InForce:
    """A plan from when it was put in force."""

    def __init__(self, plan: Plan, clock: Callable[[], float] = time.monotonic) -> None:
        self.plan = plan
        self._clock = clock
        self._began = clock()
        self._at: Mapping[Place, tuple[Fault, ...]] = {place: plan.at(place) for place in Place}
        self._key_of = key_finder(plan.task_key)
        self._awaited = {fault.after_queue for fault in plan.faults if fault.after_queue}
        self._reached: set[str] = set()
        self._waiting: dict[str, list[Callable[[], object]]] = {}
        self._struck: Counter[str] = Counter()
        self._lock = threading.Lock()

    def has(self, place: Place) -> bool:
        """Whether anything of the plan strikes there."""
        return bool(self._at[place])

    @functools.lru_cache(4096)  # noqa: B019  (as many as there are plans in force: one)
    def key_of(self, body: str) -> str | None:
        """The key of a body's task; None where it has none."""
        return self._key_of(body) or given_key(body)

    def entered(self, queue: str) -> None:
        """A message is in this queue, by its name."""
        if queue in self._awaited and queue not in self._reached:
            with self._lock:
                self._reached.add(queue)
                waiting = self._waiting.pop(queue, [])
            for act in waiting:
                act()

    def once_entered(self, queue: str, act: Callable[[], object]) -> None:
        """Act when the first message is in this queue, now where one has been; ``act`` returns at once."""
        with self._lock:
            is_reached = queue in self._reached
            if not is_reached:
                self._waiting.setdefault(queue, []).append(act)
        if is_reached:
            act()

    def struck(self, place: Place, case: Case, fits: Fits) -> Fault | None:
        """The first fault that strikes this case; None where none does."""
        elapsed_s = self._clock() - self._began
        meant = (
            fault
            for fault in self._at[place]
            if fits(fault)
            and fault.from_s <= elapsed_s < fault.until_s
            and (not fault.after_queue or fault.after_queue in self._reached)
        )
        return struck(meant, case, self.plan.seed)

    def draw(self, fault: Fault, case: Case, purpose: str) -> float:
        """A float in [0, 1) for what a fault does, other than whether it strikes."""
        return draw(fault, case, self.plan.seed, purpose)

    def tell(self, fault: Fault, case: Case, **names: str | int | None) -> None:
        """It strikes now.

        Args:
            names: what is known of the case, as the fields of ``Strike``.
        """
        with self._lock:
            self._struck[fault.name] += 1
            is_first = self._struck[fault.name] == 1
        if is_first:
            _LOG.warning("fault %s strikes for the first time, on purpose: %s", fault.name, case.key)
        nth = case.nth if fault.place is Place.CALL else None
        attempt = case.attempt if fault.place in {Place.CALL, Place.REQUEST} else None
        tell(Strike(fault.name, fault.kind.value, case.key, **names, nth=nth, attempt=attempt))  # type: ignore[arg-type]

    def counts(self) -> dict[str, int]:
        """How often each fault has struck."""
        with self._lock:
            return {fault.name: self._struck[fault.name] for fault in self.plan.faults}


class _Holder:
    """The one plan of this process; None while nothing is broken on purpose."""

    in_force: InForce | None = None


HOLDER = _Holder()
