"""The sweeper: finds tasks that nothing would happen to any more, and enqueues each of them once.

Two kinds. A *pending* task was accepted, or redriven, by somebody who died before its message was out; the table says
so, in an index that holds nothing else. A *stranded* task had a message and has lost it: it expired, or somebody
removed it. Whether a message is left nobody can ask SQS, so stranded tasks are looked for only while the queue is
empty; a message that is there all the same makes a second one, which finds its task taken or done.

Two sweepers at a time share the tasks, because each is taken by a conditional write.
"""

from collections.abc import Callable
from dataclasses import dataclass

from taskrules.requeue import STRANDED, Requeuer
from taskrules.settings import Settings
from taskrules.store import SweepStore

PERIOD_S = 60
"""How often the schedule asks."""
TASKS_MAX = 1000
"""Of one sweep; the next one goes on."""
TIME_LEFT_MIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """One sweep. ``depth`` is the task queue's; ``deadline_ts`` is when Lambda ends the function."""

    settings: Settings
    store: SweepStore
    requeuer: Requeuer
    depth: Callable[[], int]
    clock: Callable[[], float]
    deadline_ts: float

    def sweep(self) -> dict[str, int]:
        """How many tasks were enqueued, by kind.

        Raises:
            StoreError, QueueError: the sweep broke off; the next one finds what is left.
        """
        return {"pending": self._enqueue_pending(), "stranded": self._enqueue_stranded()}

    def _enqueue_pending(self) -> int:
        enqueued = 0
        before_ts = self.clock() - self.settings.pending_after_s
        for task_id in self.store.pending(before_ts=before_ts, limit=TASKS_MAX):
            if not self._has_time():
                break
            task = self.store.get(task_id)  # the index lags behind, and holds keys only
            enqueued += task is not None and self.requeuer.enqueue_pending(task)
        return enqueued

    def _enqueue_stranded(self) -> int:
        now, after_s = self.clock(), self.settings.stranded_after_s
        # The search reads the whole table, so it is made once in the time after which it could find something new.
        is_due = now % max(after_s, PERIOD_S) < PERIOD_S
        if not is_due or self.depth():
            return 0
        enqueued = 0
        for task in self.store.stranded(before_ts=now - after_s):
            if enqueued == TASKS_MAX or not self._has_time():
                break
            if self.store.take_stranded(task, token=self.requeuer.token, now=self.clock()):
                self.requeuer.enqueue(task, STRANDED)
                enqueued += 1
        return enqueued

    def _has_time(self) -> bool:
        return self.deadline_ts - self.clock() >= TIME_LEFT_MIN_S
