"""Who is next: a binary heap of entries in an array, and the tournament of the pollers.

Which of two comes first is a toss-up that no processor foretells. So both choose without branches where they can. Times
are compared by their bits, as whole numbers, which for times of 0 or more is the same order: one number more or less is
enough then to say who is first at equal times.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import part
from dlqlab.twin.engine.layout import NEVER, Array
from dlqlab.twin.engine.views import Sim


@intrinsic  # type: ignore[untyped-decorator]
def bits_of(_context: Any, _time: Any) -> Any:
    """The bits of a time."""

    def codegen(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(sig.return_type))

    return types.int64(types.float64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def time_of(_context: Any, _bits: Any) -> Any:
    """The time with these bits."""

    def codegen(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(sig.return_type))

    return types.float64(types.int64), codegen


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
def _down(heap: Array, n: int) -> int:
    """Fills the first place from below, each place by the earlier of the two under it; returns the place left empty."""
    at = 0
    while 2 * at + 2 < n:
        left, right = heap[2 * at + 1], heap[2 * at + 2]
        child = 2 * at + 1 + int(bits_of(right.key) < bits_of(left.key) + int(right.seq < left.seq))
        below = heap[child]
        heap[at].key, heap[at].seq, heap[at].item = below.key, below.seq, below.item
        at = child
    if 2 * at + 1 < n:
        below = heap[2 * at + 1]
        heap[at].key, heap[at].seq, heap[at].item = below.key, below.seq, below.item
        at = 2 * at + 1
    return at


@part
def pop(heap: Array, n: int) -> int:
    """Removes the first entry; returns how many are left. The key of an empty heap's first place is NEVER."""
    n -= 1
    key, seq, item = heap[n].key, heap[n].seq, heap[n].item
    if n == 0:
        heap[0].key = NEVER
        return 0
    # The last entry is late, and its place is at the bottom or not far above.
    push(heap, _down(heap, n), key, seq, item)
    return n


@part
def schedule(s: Sim, p: int, at_s: float) -> None:
    """The poller acts at that time, and not when it was to act before; NEVER takes it out.

    ``turns`` is a tournament: leaves are pollers, each place above has the earlier of two, place 1 who is next.
    """
    turns = of.turns(s)
    place = (len(turns) >> 1) + p
    at, who = bits_of(at_s), p
    turns[place].at = at
    while place > 1:
        other = turns[place ^ 1]
        other_at, other_who = other.at, int(other.poller)
        taken = -int(other_at < at + (place & 1))  # all bits or none; at equal times the left one
        at += (other_at - at) & taken
        who += (other_who - who) & taken
        place >>= 1
        turns[place].at, turns[place].poller = at, who
