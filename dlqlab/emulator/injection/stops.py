"""The emulator stands still, with all that it serves, or is gone for a while; one stop follows the other.

Functions go on while it stands still, and wait where they call it. In an outage they are killed, and whoever asks for
the emulator is refused.
"""

import os
import subprocess
import threading

from dlqlab.contracts.injection import Case, Fault, Kind, Place
from dlqlab.emulator.injection import outages
from dlqlab.emulator.injection.state import HOLDER, InForce

_ONE_AT_A_TIME = threading.Lock()


def plan(in_force: InForce) -> None:
    """Stop at the times of the plan, while it is in force; where it waits for a queue, they count from then."""
    for fault in in_force.plan.at(Place.EMULATOR):
        timer = threading.Timer(fault.from_s, _stop, (in_force, fault))
        timer.daemon = True
        if fault.after_queue:
            in_force.once_entered(fault.after_queue, timer.start)
        else:
            timer.start()


def _stop(in_force: InForce, fault: Fault) -> None:
    with _ONE_AT_A_TIME, _stopper(fault.seconds) as stopper:
        if HOLDER.in_force is not in_force:
            return
        own = outages.own_peers()
        in_force.tell(fault, Case(key=fault.name))
        if fault.kind is Kind.OUTAGE:
            with outages.gone(in_force, fault, own):
                stopper.communicate(b"\n")
        else:
            stopper.communicate(b"\n")


def _stopper(seconds: float) -> subprocess.Popen[bytes]:
    """A process that, once it reads a line, has this one stand still and go on: itself it could not wake."""
    pid = os.getpid()
    command = f"read -r line && {{ kill -STOP {pid}; sleep {seconds:.3f}; kill -CONT {pid}; }}"
    return subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, start_new_session=True)
