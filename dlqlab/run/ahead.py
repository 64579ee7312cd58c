"""What a run needs at its end takes three seconds of CPU time to import: it comes in while the run waits for others."""

import importlib
import threading

LATE = ("dlqlab.run.again", "dlqlab.report.render")
"""SciPy, matplotlib, papermill."""


def import_ahead(modules: tuple[str, ...] = LATE) -> threading.Thread:
    """Import the modules in the background; who needs one sooner waits for it as for any import."""
    thread = threading.Thread(target=_import, args=(modules,), daemon=True, name="dlqlab-imports")
    thread.start()
    return thread


def _import(modules: tuple[str, ...]) -> None:
    for module in modules:
        importlib.import_module(module)
