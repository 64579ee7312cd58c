"""SHA-256 (FIPS 180-4) of eight texts of one length side by side: their first eight bytes, which are all a draw takes.

The scratch array ``words`` has, in eights: the message, the window of its schedule, the state.
"""

import numpy as np

from dlqlab.twin.engine.compiled import part
from dlqlab.twin.engine.lanes import LANES, Lanes, load, shifted, spread, store, turned
from dlqlab.twin.engine.layout import Array

BLOCK_BYTES, BLOCK_WORDS, ROUNDS = 64, 16, 64
TEXT_BYTES = 384
"""Longest key: a seed and an attempt of 19 digits, a purpose, a task id of 128 characters; and SHA-256's padding."""
_WINDOW = TEXT_BYTES // 4
_STATE = _WINDOW + BLOCK_WORDS
WORDS = (_STATE + 8) * LANES


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


_K = np.array(_roots(1 / 3, ROUNDS), dtype=np.uint32)
_H = np.array(_roots(1 / 2, 8), dtype=np.uint32)


@part
def set_message(text: Array, length: int, words: Array) -> int:
    """Pads ``text[:length]`` in place and makes it the message of every lane; returns how many blocks it takes."""
    blocks = (length + 9 + BLOCK_BYTES - 1) // BLOCK_BYTES
    text[length] = 0x80
    for i in range(length + 1, blocks * BLOCK_BYTES):
        text[i] = 0
    bits = length * 8
    for i in range(8):
        text[blocks * BLOCK_BYTES - 1 - i] = (bits >> (8 * i)) & 0xFF
    for i in range(blocks * BLOCK_WORDS):
        word = np.uint32(text[i * 4])
        for n in range(1, 4):
            word = np.uint32((word << np.uint32(8)) | np.uint32(text[i * 4 + n]))
        store(words, i, spread(word))
    return int(blocks)


@part
def _scheduled(words: Array, block: int, i: int) -> Lanes:
    """Word i of the block's schedule; the window keeps the last 16."""
    at = _WINDOW + (i & 15)
    if i < BLOCK_WORDS:
        word = load(words, block * BLOCK_WORDS + i)
    else:
        x, y = load(words, _WINDOW + ((i + 1) & 15)), load(words, _WINDOW + ((i + 14) & 15))
        low = turned(x, 7) ^ turned(x, 18) ^ shifted(x, 3)
        high = turned(y, 17) ^ turned(y, 19) ^ shifted(y, 10)
        word = load(words, at) + low + load(words, _WINDOW + ((i + 9) & 15)) + high
    store(words, at, word)
    return word


@part
def _compress(words: Array, block: int) -> None:
    a, b, c, d = load(words, _STATE), load(words, _STATE + 1), load(words, _STATE + 2), load(words, _STATE + 3)
    e, f, g, h = load(words, _STATE + 4), load(words, _STATE + 5), load(words, _STATE + 6), load(words, _STATE + 7)
    for i in range(ROUNDS):
        word = _scheduled(words, block, i) + spread(_K[i])
        first = h + word + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + (g ^ (e & (f ^ g)))
        second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + (b ^ ((a ^ b) & (b ^ c)))
        h, g, f, e = g, f, e, d + first
        d, c, b, a = c, b, a, first + second
    store(words, _STATE, load(words, _STATE) + a)
    store(words, _STATE + 1, load(words, _STATE + 1) + b)
    store(words, _STATE + 2, load(words, _STATE + 2) + c)
    store(words, _STATE + 3, load(words, _STATE + 3) + d)
    store(words, _STATE + 4, load(words, _STATE + 4) + e)
    store(words, _STATE + 5, load(words, _STATE + 5) + f)
    store(words, _STATE + 6, load(words, _STATE + 6) + g)
    store(words, _STATE + 7, load(words, _STATE + 7) + h)


@part
def digest(words: Array, blocks: int) -> None:
    """Hashes the message of every lane; ``head`` tells the result."""
    for i in range(8):
        store(words, _STATE + i, spread(_H[i]))
    for block in range(blocks):
        _compress(words, block)


@part
def head(words: Array, lane: int) -> np.uint64:
    """The first 8 bytes of a lane's digest."""
    high, low = np.uint64(words[_STATE * LANES + lane]), np.uint64(words[(_STATE + 1) * LANES + lane])
    return np.uint64((high << np.uint64(32)) | low)
