"""Modules that a command needs at its end come in while it waits for others: their import takes seconds of CPU time."""

import importlib
import threading
from collections.abc import Sequence


def import_ahead(modules: Sequence[str]) -> threading.Thread:
    """Import the modules in the background; who needs one sooner waits for it as for any import."""
    thread = threading.Thread(target=_import, args=(tuple(modules),), daemon=True, name="dlqlab-imports")
    thread.start()
    return thread


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        importlib.import_module(module)
