"""The app's seeded draws (taskrules.draws), compiled: SHA-256 over the same key gives the same float, to the last bit.

The key is ``seed|purpose|generation|attempt|taskId``. Of tasks whose ids the load generator makes, all draws of a kind
differ in the eight digits at the key's end only, so eight of them are hashed at once.
"""

import numpy as np

from dlqlab.twin.engine.compiled import entry, part
from dlqlab.twin.engine.hashing import TEXT_BYTES, WORDS, digest, head, set_message
from dlqlab.twin.engine.lanes import LANES
from dlqlab.twin.engine.layout import Array
from dlqlab.twin.engine.rows import rows_of

FAULT, SLOW, JITTER, BREAKER_SHARE, IS_DUPLICATE, API_CRASH, SCRIPT = range(7)
PURPOSES = ("fault", "slow", "jitter", "breaker", "duplicate", "api-crash", "script")
_NAMES = np.zeros((len(PURPOSES), 12), dtype=np.uint8)
for _row, _name in enumerate(PURPOSES):
    _NAMES[_row, : len(_name)] = np.frombuffer(_name.encode(), dtype=np.uint8)
_BAR, _ZERO, _T, _DASH = np.uint8(ord("|")), ord("0"), np.uint8(ord("t")), np.uint8(ord("-"))
NUMBER_DIGITS = 8
"""Of a task in its id: enough for as many tasks as there may be (dlqlab.twin.arrivals)."""
_TEN, _HALF = 10, 10_000
_DIGITS = np.array([int.from_bytes(f"{n:04d}".encode()) for n in range(_HALF)], dtype=np.uint32)
_FIRST_BITS = 53


@part
def _put_number(text: Array, at: int, number: int, digits: int) -> int:
    """Decimal digits, at least so many; returns the place after them."""
    n, rest = 1, number
    while rest >= _TEN:
        rest //= _TEN
        n += 1
    n = max(n, digits)
    for i in range(n):
        text[at + n - 1 - i] = _ZERO + number % _TEN
        number //= _TEN
    return at + n


@part
def _put_made_id(text: Array, at: int, seed: int, task: int) -> int:
    """The task's id as ``dlqlab.load.tasks`` makes it; returns the place after it."""
    text[at], text[at + 1] = _T, _DASH
    at = _put_number(text, at + 2, seed, 1)
    text[at] = _DASH
    return _put_number(text, at + 1, task, NUMBER_DIGITS)


@part
def _put_task_id(text: Array, at: int, seed: int, task: int, ids: Array) -> int:
    """The row of ``ids``, which ends in a zero; or where there are none, the id that the load generator makes."""
    if len(ids) == 0:
        return _put_made_id(text, at, seed, task)
    i = 0
    while ids[task, i] != 0:
        text[at + i] = ids[task, i]
        i += 1
    return at + i


@part
def _put_kind(text: Array, of: int, purpose: int, generation: int, attempt: int) -> int:
    """The key up to the task's id; returns the place after it."""
    at = _put_number(text, 0, of, 1)
    text[at] = _BAR
    at += 1
    for i in range(_NAMES.shape[1]):
        if _NAMES[purpose, i] == 0:
            break
        text[at] = _NAMES[purpose, i]
        at += 1
    text[at] = _BAR
    at = _put_number(text, at + 1, generation, 1)
    text[at] = _BAR
    at = _put_number(text, at + 1, attempt, 1)
    text[at] = _BAR
    return at + 1


@part
def _drawn(words: Array, lane: int) -> float:
    """The first 53 bits of a lane's digest as a float in [0, 1)."""
    return float(np.int64(head(words, lane) >> np.uint64(64 - _FIRST_BITS))) / 9007199254740992.0


@part
def draw(
    text: Array, words: Array, ids: Array, seed: int, purpose: int, generation: int, attempt: int, task: int, of: int
) -> float:
    """``taskrules.draws.uniform(of, purpose, task id, generation, attempt)``; ``seed`` is the one in the id."""
    length = _put_task_id(text, _put_kind(text, of, purpose, generation, attempt), seed, task, ids)
    digest(words, set_message(text, length, words))
    return _drawn(words, 0)


@part
def _put_digits(words: Array, at: int, lane: int, task: int, around: tuple[np.uint32, np.uint32, np.uint32]) -> None:
    """The task's number at this place of the lane's message, between what stands around it.

    Eight digits are 64 bits, which begin somewhere in one word and end two words later.
    """
    digits = np.uint64((np.uint64(_DIGITS[task // _HALF]) << np.uint64(32)) | np.uint64(_DIGITS[task % _HALF]))
    first, by = (at >> 2) * LANES + lane, np.uint64(8 * (at & 3))
    words[first] = around[0] | np.uint32(digits >> (np.uint64(32) + by))
    words[first + LANES] = around[1] | np.uint32(digits >> by)
    words[first + 2 * LANES] = around[2] | np.uint32(digits << (np.uint64(32) - by))


@part
def draw_all(
    text: Array, words: Array, seed: int, purpose: int, generation: int, attempt: int, tasks: Array, n: int,
    found: Array,
) -> None:  # fmt: skip
    """Draws of the first n of these tasks, whose ids are the load generator's."""
    length = _put_made_id(text, _put_kind(text, seed, purpose, generation, attempt), seed, 0)
    at = length - NUMBER_DIGITS
    for i in range(at, length):
        text[i] = 0
    blocks = set_message(text, length, words)
    first = (at >> 2) * LANES
    around = words[first], words[first + LANES], words[first + 2 * LANES]
    for done in range(0, n, LANES):
        for lane in range(LANES):
            _put_digits(words, at, lane, tasks[min(done + lane, n - 1)], around)
        digest(words, blocks)
        for lane in range(min(LANES, n - done)):
            found[done + lane] = _drawn(words, lane)


@entry
def _draws(
    text: Array, words: Array, seed: int, purpose: int, generation: int, attempt: int, tasks: Array, found: Array
) -> None:
    draw_all(
        rows_of(text), rows_of(words), seed, purpose, generation, attempt, rows_of(tasks), len(tasks), rows_of(found)
    )


def draws(seed: int, purpose: int, tasks: Array, generation: int = 1, attempt: int = 0) -> Array:
    """One draw for each of these tasks (numbers of 4 bytes), whose ids are the load generator's."""
    found = np.empty(len(tasks))
    _draws(*scratch(), seed, purpose, generation, attempt, tasks, found)
    return found


def scratch() -> tuple[Array, Array]:
    """``text`` and ``words``."""
    return np.zeros(TEXT_BYTES, dtype=np.uint8), np.zeros(WORDS, dtype=np.uint32)


@entry
def _ends_in(text: Array, ids: Array, seed: int, suffix: Array, found: Array) -> None:
    for task in range(len(found)):
        end = _put_task_id(rows_of(text), 0, seed, task, rows_of(ids))
        same = end >= len(suffix)
        for i in range(len(suffix)):
            same = same and text[end - len(suffix) + i] == suffix[i]
        found[task] = same


def ends_in(ids: Array, seed: int, tasks: int, suffix: Array) -> Array:
    """Whether the id of each task ends in these characters."""
    found = np.zeros(tasks, dtype=np.uint8)
    _ends_in(np.zeros(TEXT_BYTES, dtype=np.uint8), ids, seed, suffix, found)
    return found
