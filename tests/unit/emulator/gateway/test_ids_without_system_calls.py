"""Ids without a system call are random UUIDs."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from dlqlab.emulator.gateway.ids_without_system_calls import uuid4


def test_ids_are_random_uuids() -> None:
    """Version and variant are set as RFC 9562 says; each other bit is drawn."""
    drawn = [uuid4() for _ in range(2000)]
    ones = [sum(one.int >> bit & 1 for one in drawn) for bit in range(128)]
    fixed = {*range(76, 80), 62, 63}

    assert {(4, uuid.RFC_4122)} == {(one.version, one.variant) for one in drawn}
    assert all(uuid.UUID(str(one)) == one for one in drawn)
    # 1,000 of 2,000 expected; 8 standard deviations of 22 are off by chance once in 10^15 draws.
    assert all(820 < count < 1180 for bit, count in enumerate(ones) if bit not in fixed)


def test_ids_of_many_threads_are_never_the_same() -> None:
    """Threads share the generator."""
    with ThreadPoolExecutor(8) as pool:
        drawn = [one for part in pool.map(lambda _: [uuid4().int for _ in range(2000)], range(16)) for one in part]

    assert len(drawn) == len(set(drawn))
