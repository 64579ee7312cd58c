"""The clients: when each task is sent, when its message is in the queue, when the answer is back."""

import numpy as np

from dlqlab.twin.engine.chance import CONSTANT, mixed, of_family
from dlqlab.twin.engine.compiled import entry, inner
from dlqlab.twin.engine.heaps import pop, push
from dlqlab.twin.engine.layout import HEAP, Array, Step

_STEP = np.uint64(0x9E3779B97F4A7C15)


@inner
def _lasts(row: Array, rng: np.uint64) -> float:
    """A duration of the family that the row names, from the two uniform draws at this place of the sequence."""
    if row[0] == CONSTANT:
        return float(row[1])
    return of_family(row, mixed(rng), mixed(np.uint64(rng + _STEP)))


@entry
def send(due: Array, users: int, ends: float, durations: Array, seed: np.uint64) -> tuple[Array, Array, Array]:
    """Sent, enqueued and answered, in seconds, of the tasks that could be sent before the end.

    ``users`` clients share the tasks in their order, each waiting for its answer; 0 sends every task when it is due.
    """
    sent, enqueued, done = np.empty(len(due)), np.empty(len(due)), np.empty(len(due))
    free = np.zeros(max(users, 1), dtype=HEAP)
    rng, n = seed, 0
    for user in range(users):
        push(free, user, 0.0, user, user)
    for k in range(len(due)):
        at = max(due[k], free[0].key) if users else due[k]
        if at >= ends:
            break
        sent[k] = at
        enqueued[k] = at + _lasts(durations[Step.ENQUEUE], rng)
        done[k] = enqueued[k] + _lasts(durations[Step.ANSWER], np.uint64(rng + _STEP * np.uint64(2)))
        rng = np.uint64(rng + _STEP * np.uint64(4))
        n += 1
        if users:
            user = free[0].item
            pop(free, users)
            push(free, users - 1, done[k], user, user)
    return sent[:n], enqueued[:n], done[:n]
