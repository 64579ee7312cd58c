"""LocalStack's catalogue of AWS services, made once in a checkout and not by each worker and each first emulator."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dlqlab import paths
from dlqlab.emulator.host import service_catalog_cache

_MAKE = """
import sys
from pathlib import Path
from localstack.aws import spec
spec.build_service_index_cache(str(Path(sys.argv[1]) / spec._get_catalog_filename()))
"""


def make_service_catalog(kept: Path = service_catalog_cache.KEPT) -> None:
    """Make it where none is kept: 4 s of processor time, in a process of its own, which gives its memory back."""
    if any(kept.glob(service_catalog_cache.PATTERN)):
        return
    with tempfile.TemporaryDirectory() as scratch:
        state = Path(scratch)
        made = state / service_catalog_cache.CACHE
        made.mkdir(parents=True)
        subprocess.run([sys.executable, "-c", _MAKE, made], check=True)
        service_catalog_cache.keep(state, kept)


def give_service_catalog(home: Path) -> None:
    """To a project's folder in which a test runs the command, as an earlier run there would have left it."""
    kept = service_catalog_cache.KEPT
    shutil.copytree(kept, home / kept.relative_to(paths.ROOT))
