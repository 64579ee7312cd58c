"""papermill and nbformat, imported without a part that takes longer to load than the rest of the report.

Both import jsonschema, which takes in rfc3987_syntax where that is installed; its grammar of IRIs is built at import
(2.3 s of 3.2 s, measured) for a format that no notebook uses. To jsonschema the module is optional.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
    from papermill.exceptions import PapermillExecutionError

__all__ = ["PapermillExecutionError", "absent", "nbformat", "papermill"]
