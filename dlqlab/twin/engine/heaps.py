"""Binary heaps in arrays: one of entries, one of pollers that can be found and moved."""

from typing import Any

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import part
from dlqlab.twin.engine.layout import Array
from dlqlab.twin.engine.views import Sim


@part
def _before(a: Any, b: Any) -> bool:
    """Of two entries, whether the first comes before the second."""
    return bool(a.key < b.key or (a.key == b.key and a.seq < b.seq))


@part
def push(heap: Array, n: int, key: float, seq: int, item: int) -> int:
    """Returns how many entries there are then. ``seq`` orders entries of one key."""
    at = n
    while at > 0:
        parent = (at - 1) >> 1
        above = heap[parent]
        if above.key < key or (above.key == key and above.seq < seq):
            break
        heap[at].key, heap[at].seq, heap[at].item = above.key, above.seq, above.item
        at = parent
    heap[at].key, heap[at].seq, heap[at].item = key, seq, item
    return n + 1


@part
def pop(heap: Array, n: int) -> int:
    """Removes the first entry; returns how many are left."""
    n -= 1
    key, seq, item = heap[n].key, heap[n].seq, heap[n].item
    at = 0
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        if child + 1 < n and _before(heap[child + 1], heap[child]):
            child += 1
        below = heap[child]
        if key < below.key or (key == below.key and seq < below.seq):
            break
        heap[at].key, heap[at].seq, heap[at].item = below.key, below.seq, below.item
        at = child
    heap[at].key, heap[at].seq, heap[at].item = key, seq, item
    return n


@part
def _earlier(s: Sim, p: int, q: int) -> bool:
    a, b = of.pollers(s)[p].at, of.pollers(s)[q].at
    return a < b or (a == b and p < q)


@part
def _put(s: Sim, at: int, p: int) -> None:
    of.heap(s)[at] = p
    of.place(s)[p] = at


@part
def schedule(s: Sim, p: int, at_s: float) -> None:
    """The poller acts at that time, wherever it was in the heap before."""
    clock = of.clock(s)[0]
    of.pollers(s)[p].at = at_s
    at = of.place(s)[p]
    if at < 0:
        at = clock.pollers_n
        clock.pollers_n += 1
    while at > 0 and _earlier(s, p, of.heap(s)[(at - 1) >> 1]):
        _put(s, at, of.heap(s)[(at - 1) >> 1])
        at = (at - 1) >> 1
    n = clock.pollers_n
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        if child + 1 < n and _earlier(s, of.heap(s)[child + 1], of.heap(s)[child]):
            child += 1
        if not _earlier(s, of.heap(s)[child], p):
            break
        _put(s, at, of.heap(s)[child])
        at = child
    _put(s, at, p)


@part
def unschedule_first(s: Sim) -> None:
    """Removes the first poller from the heap."""
    clock = of.clock(s)[0]
    of.place(s)[of.heap(s)[0]] = -1
    clock.pollers_n -= 1
    n = clock.pollers_n
    if n == 0:
        return
    last = of.heap(s)[n]
    # As if it were new at the top: schedule sifts it down.
    _put(s, 0, last)
    schedule(s, last, of.pollers(s)[last].at)
