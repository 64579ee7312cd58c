"""The app's seeded draws, compiled: SHA-256 over the same key gives the same float, to the last bit.

The key is ``seed|purpose|generation|attempt|taskId`` (chalicelib.draws); SHA-256 is FIPS 180-4.
"""

import numpy as np

from dlqlab.twin.engine.compiled import entry, part
from dlqlab.twin.engine.layout import Array

FAULT, SLOW, JITTER, BREAKER_SHARE, IS_DUPLICATE, API_CRASH, SCRIPT = range(7)
PURPOSES = ("fault", "slow", "jitter", "breaker", "duplicate", "api-crash", "script")
TEXT_BYTES = 384
"""Longest key: a seed and an attempt of 19 digits, a purpose, a task id of 128 characters; and SHA-256's padding."""
_NAMES = np.zeros((len(PURPOSES), 12), dtype=np.uint8)
for _row, _name in enumerate(PURPOSES):
    _NAMES[_row, : len(_name)] = np.frombuffer(_name.encode(), dtype=np.uint8)
_BAR, _ZERO, _T, _DASH = np.uint8(ord("|")), ord("0"), np.uint8(ord("t")), np.uint8(ord("-"))
_NUMBER_DIGITS, _TEN = 8, 10
_FIRST_BITS = 53


def _roots(power: float, count: int) -> list[int]:
    """The first 32 bits of the fractional parts of roots of the first primes, exactly."""
    primes: list[int] = []
    number = 2
    while len(primes) < count:
        if all(number % prime for prime in primes):
            primes.append(number)
        number += 1
    return [_root_bits(prime, round(1 / power)) for prime in primes]


def _root_bits(prime: int, degree: int) -> int:
    low, high = 0, 1 << 40
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= prime << (32 * degree) else (low, middle)
    return low & 0xFFFFFFFF


_K = np.array(_roots(1 / 3, 64), dtype=np.uint32)
_H = np.array(_roots(1 / 2, 8), dtype=np.uint32)


@part
def _rotated(x: np.uint32, n: int) -> np.uint32:
    return np.uint32((x >> np.uint32(n)) | (x << np.uint32(32 - n)))


@part
def _schedule(text: Array, block: int, words: Array) -> None:
    for i in range(16):
        at = block * 64 + i * 4
        words[i] = np.uint32(
            (np.uint32(text[at]) << np.uint32(24))
            | (np.uint32(text[at + 1]) << np.uint32(16))
            | (np.uint32(text[at + 2]) << np.uint32(8))
            | np.uint32(text[at + 3])
        )
    for i in range(16, 64):
        x, y = words[i - 15], words[i - 2]
        low = _rotated(x, 7) ^ _rotated(x, 18) ^ np.uint32(x >> np.uint32(3))
        high = _rotated(y, 17) ^ _rotated(y, 19) ^ np.uint32(y >> np.uint32(10))
        words[i] = np.uint32(words[i - 16] + low + words[i - 7] + high)


@part
def digest_head(text: Array, length: int, words: Array) -> np.uint64:
    """The first 8 bytes of SHA-256 over ``text[:length]``; pads the text in place, ``words`` is scratch of 72."""
    blocks = (length + 9 + 63) // 64
    text[length] = 0x80
    for i in range(length + 1, blocks * 64):
        text[i] = 0
    bits = length * 8
    for i in range(8):
        text[blocks * 64 - 1 - i] = (bits >> (8 * i)) & 0xFF
    for i in range(8):
        words[64 + i] = _H[i]
    for block in range(blocks):
        _schedule(text, block, words)
        a, b, c, d = words[64], words[65], words[66], words[67]
        e, f, g, h = words[68], words[69], words[70], words[71]
        for i in range(64):
            mixed = _rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)
            first = np.uint32(h + mixed + ((e & f) ^ (~e & g)) + _K[i] + words[i])
            second = np.uint32((_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c)))
            h, g, f, e = g, f, e, np.uint32(d + first)
            d, c, b, a = c, b, a, np.uint32(first + second)
        words[64], words[65] = np.uint32(words[64] + a), np.uint32(words[65] + b)
        words[66], words[67] = np.uint32(words[66] + c), np.uint32(words[67] + d)
        words[68], words[69] = np.uint32(words[68] + e), np.uint32(words[69] + f)
        words[70], words[71] = np.uint32(words[70] + g), np.uint32(words[71] + h)
    return (np.uint64(words[64]) << np.uint64(32)) | np.uint64(words[65])


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
def put_task_id(text: Array, at: int, seed: int, task: int, ids: Array) -> int:
    """The task's id as ``dlqlab.load.tasks`` makes it, or the row of ``ids``; returns the place after it."""
    if ids.shape[0]:
        for i in range(ids.shape[1]):
            if ids[task, i] == 0:
                return at + i
            text[at + i] = ids[task, i]
        return at + int(ids.shape[1])
    text[at], text[at + 1] = _T, _DASH
    at = _put_number(text, at + 2, seed, 1)
    text[at] = _DASH
    return _put_number(text, at + 1, task, _NUMBER_DIGITS)


@part
def draw(
    text: Array, words: Array, ids: Array, seed: int, purpose: int, generation: int, attempt: int, task: int, of: int
) -> float:
    """``chalicelib.draws.uniform(of, purpose, task id, generation, attempt)``; ``seed`` is the one in the id."""
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
    at = put_task_id(text, at + 1, seed, task, ids)
    head = digest_head(text, at, words)
    return float(head >> np.uint64(64 - _FIRST_BITS)) / 9007199254740992.0


@entry
def draws(ids: Array, seed: int, purpose: int, tasks: int, generation: int, attempt: int) -> Array:
    """One draw for each of the tasks 0, 1, ..."""
    text, words = np.zeros(TEXT_BYTES, dtype=np.uint8), np.zeros(72, dtype=np.uint32)
    found = np.empty(tasks, dtype=np.float64)
    for task in range(tasks):
        found[task] = draw(text, words, ids, seed, purpose, generation, attempt, task, seed)
    return found


@entry
def ends_in(ids: Array, seed: int, tasks: int, suffix: Array) -> Array:
    """Whether the id of each task ends in these characters."""
    text = np.zeros(TEXT_BYTES, dtype=np.uint8)
    found = np.zeros(tasks, dtype=np.uint8)
    for task in range(tasks):
        end = put_task_id(text, 0, seed, task, ids)
        same = end >= len(suffix)
        for i in range(len(suffix)):
            same = same and text[end - len(suffix) + i] == suffix[i]
        found[task] = same
    return found
