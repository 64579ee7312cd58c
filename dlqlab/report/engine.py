"""papermill and nbformat without what takes longer than the rest of the report.

Both import jsonschema, which takes in rfc3987_syntax where that is installed; its grammar of IRIs is built at import
(2.3 s of 3.2 s, measured) for a format that no notebook uses. To jsonschema the module is optional.

papermill writes the notebook before and after every cell, each time with all pictures so far (1 s of a report), and
jupyter_client imports the whole of IPython for one folder in which kernels may be (0.6 s). Here the notebook is written
when it is executed, or as far as it came, and kernels are those of this environment and of Jupyter's own folders.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final


@contextmanager
def absent(module: str) -> Iterator[None]:
    """Imports inside behave as if this module were not installed; one that is loaded already stays."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # the import system's own sign for "not there"
    try:
        yield
    finally:
        del sys.modules[module]


with absent("rfc3987_syntax"):
    import nbformat
    import papermill
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.paths import jupyter_path
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from traitlets import default

ENGINE: Final = "dlqlab"
"""Its name with papermill."""


class _Kernels(AsyncKernelManager):
    """Finds kernels without IPython."""

    @default("kernel_spec_manager")
    def _found_without_ipython(self) -> KernelSpecManager:
        return KernelSpecManager(parent=self, kernel_dirs=jupyter_path("kernels"))


class _WritesAtTheEnd(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Writes the notebook once: complete, or as far as it came, whatever stopped it."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> None:
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, kernel_manager_class=_Kernels, **settings)
        finally:
            nb_man.output_path = path  # papermill writes it there once more, at the end


papermill_engines.register(ENGINE, _WritesAtTheEnd)

__all__ = [
    "ENGINE",
    "CellTimeoutError",
    "DeadKernelError",
    "PapermillExecutionError",
    "absent",
    "nbformat",
    "papermill",
]
