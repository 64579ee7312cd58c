"""The Lambda base: what AWS's Python runtime brings along and a bundle need not contain.

A folder of links to the installed awslambdaric and boto3 and what they need. It keeps the harness's other packages out
of sight: a dependency that is missing from the bundle fails here as it would on AWS.
"""

import functools
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

RUNTIME_PACKAGES = ("awslambdaric", "boto3")


@functools.cache
def build_base(folder: Path) -> Path:
    """Fill the folder with links to the runtime's packages and their dependencies, once; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in _closure(RUNTIME_PACKAGES):
        for name, target in _top_level(found):
            link = folder / name
            if not link.exists():
                link.unlink(missing_ok=True)
                link.symlink_to(target)
    return folder


def _closure(names: tuple[str, ...]) -> list[Distribution]:
    """The distributions and all that they require without extras."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = distribution(name)
        for line in found[name].requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return list(found.values())


def _top_level(found: Distribution) -> list[tuple[str, Path]]:
    """Name and place of each top-level file or folder that the distribution installed beside its metadata."""
    # RECORD itself: Distribution.files would look at every one of botocore's thousands of files.
    paths = [line.partition(",")[0] for line in (found.read_text("RECORD") or "").splitlines()]
    tops = {Path(path).parts[0] for path in paths if path} - {"..", "__pycache__"}
    return [(top, Path(str(found.locate_file(top)))) for top in sorted(tops)]
