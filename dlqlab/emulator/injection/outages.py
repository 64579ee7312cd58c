"""The emulator is gone: connections are cut and refused, function processes are killed in the middle of their work.

What it holds is there again afterwards, as services of AWS keep what they accepted through an outage. Services' calls
among themselves are not cut: nothing that was accepted may be lost on its way.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psutil

from dlqlab.contracts.injection import Fault
from dlqlab.emulator.gateway.listeners import LISTENERS, Peer
from dlqlab.emulator.injection import invocations
from dlqlab.emulator.injection.state import InForce
from dlqlab.emulator.runtime import executor


@contextmanager
def gone(in_force: InForce, fault: Fault, own: Collection[Peer]) -> Iterator[None]:
    """Nobody reaches the emulator within the block, and no function works.

    Args:
        own: the clients in this process, which are not cut off.
    """
    for listener in LISTENERS:
        listener.refuse(own)
    invocations.cut_off(in_force, fault)
    executor.kill_all()
    try:
        yield
    finally:
        executor.kill_all()  # what has started in the last moment
        for listener in LISTENERS:
            listener.accept_again()


def own_peers() -> frozenset[Peer]:
    """The addresses from which this process is connected, also to itself."""
    found = psutil.Process().net_connections("tcp")
    return frozenset((one.laddr.ip, one.laddr.port) for one in found if one.laddr)
