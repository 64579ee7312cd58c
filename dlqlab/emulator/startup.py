"""What runs in LocalStack's process before it serves: the lifeline and the patches."""

import gc
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

from dlqlab.emulator import settings
from dlqlab.emulator.core import processors
from dlqlab.emulator.patches import PatchError, apply, check_pins

EXIT_PATCH_FAILED = 70
PRELOADED = ("cloudformation", "sqs", "dynamodb", "logs", "iam", "lambda", "apigateway")
"""In the order in which a deployment calls them."""
COLLECTED_AFTER = (50_000, 20, 10)
"""For ``gc.set_threshold``: a request leaves hundreds of objects, and nearly all end without the garbage collector.
With Python's 2,000 it looks some 25 times as often, which takes 3 % of the emulator's time and saves 14 MB after 9,800
tasks (measured)."""


def prepare() -> None:
    """Called once at LocalStack's start; does nothing in a LocalStack that dlqlab did not start."""
    if settings.STATE_DIR not in os.environ:
        return
    lifeline = os.environ.get(settings.LIFELINE_FD)
    if lifeline:
        threading.Thread(target=_follow, args=(int(lifeline),), daemon=True, name="dlqlab-lifeline").start()
    names = tuple(name for name in os.environ.get(settings.PATCHES, "").split(",") if name)
    try:
        apply(names)
        if record := os.environ.get(settings.CALL_RECORD):
            from dlqlab.emulator.gateway.call_recorder import install  # noqa: PLC0415  (heavy, and rarely asked for)

            check_pins()
            install(Path(record))
    except Exception as error:  # noqa: BLE001  (reported in full; a half-patched emulator must not run)
        _end(error)


def check_loaded() -> None:
    """End a LocalStack whose source differs from what a module relies on that was loaded just now."""
    try:
        check_pins()
    except PatchError as error:
        _end(error)


def _end(error: Exception) -> NoReturn:
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(EXIT_PATCH_FAILED)


def preload() -> None:
    """Load the services of a deployment in the background; a call that comes first loads its own."""
    if settings.STATE_DIR in os.environ:
        threading.Thread(target=_load, args=(PRELOADED,), daemon=True, name="dlqlab-preload").start()


def _load(services: tuple[str, ...]) -> None:
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415  (heavy; imported by LocalStack by now)

    try:
        for service in services:
            SERVICE_PLUGINS.require(service)
    finally:
        # What is loaded now stays until the end: 330,000 objects that no collection need look at again. A full one
        # takes 0.2 s (measured), in which no request is served.
        gc.freeze()
        gc.set_threshold(*COLLECTED_AFTER)
        gc.enable()  # off since the process began: dlqlab.emulator.boot
    processors.claim()
    if "lambda" in services:
        from dlqlab.emulator.runtime.executor import try_out  # noqa: PLC0415  (heavy; imported by LocalStack by now)

        try_out()


def _follow(lifeline_fd: int) -> None:
    """Shut down in good order when the starter is gone."""
    os.read(lifeline_fd, 1)
    os.kill(os.getpid(), signal.SIGTERM)
