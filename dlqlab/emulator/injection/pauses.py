"""The emulator stands still, with all that it serves; functions that run go on, and wait where they call it."""

import os
import signal
import subprocess
import threading

from dlqlab.contracts.injection import Case, Fault, Place
from dlqlab.emulator.injection.state import HOLDER, InForce


def plan(in_force: InForce) -> None:
    """Stand still at the times of the plan, while it is in force."""
    for fault in in_force.plan.at(Place.EMULATOR):
        timer = threading.Timer(fault.from_s, _pause, (in_force, fault))
        timer.daemon = True
        timer.start()


def _pause(in_force: InForce, fault: Fault) -> None:
    if HOLDER.in_force is not in_force:
        return
    in_force.tell(fault, Case(key=fault.name))
    # Another process wakes this one: nothing in it can while it stands still.
    command = f"sleep {fault.seconds}; kill -CONT {os.getpid()}"
    waker = subprocess.Popen(["/bin/sh", "-c", command], start_new_session=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    waker.wait()
