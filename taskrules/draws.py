"""Seeded draws: every random choice of the app is a pure function of what it is about.

A draw depends on nothing but its key, so the app (in whichever execution environment an attempt lands) and the
harness (before the run starts) compute the same value.
"""

import hashlib

_DENOMINATOR = 2**53


def uniform(seed: int, purpose: str, task_id: str, generation: int = 1, attempt: int = 0) -> float:
    """A float in [0, 1) that is uniform over tasks and independent between purposes, generations and attempts.

    The first 53 bits of SHA-256 over the key: 53 is what a float holds exactly, so 1.0 can never come out.
    """
    key = f"{seed}|{purpose}|{generation}|{attempt}|{task_id}".encode()
    return (int.from_bytes(hashlib.sha256(key).digest()[:8]) >> 11) / _DENOMINATOR
