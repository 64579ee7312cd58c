"""The specimen that dlqlab comes with, for whoever wants to read or change it: copied out, part by part."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from dlqlab import paths
from dlqlab.errors import UsageError

PARTS = ("app", "examples", "loadtest", "notebooks", "scenarios", "docs")
_NO_PART = shutil.ignore_patterns("deployed", "deployments", "venv", "__pycache__", ".ipynb_checkpoints")


def copy_out(folder: Path, parts: Sequence[str] = (), bundle: Path = paths.BUNDLE) -> list[Path]:
    """Copy the parts, or all of them, to the same places under ``folder``; returns the copies.

    A part is a folder of ``PARTS`` or something in one, such as ``scenarios/outage.toml``. Nothing is overwritten.

    Raises:
        UsageError: there is no such part, or something lies in its place; then nothing was copied.
    """
    places = [_place(part, bundle) for part in parts or PARTS]
    sources, targets = [bundle / place for place in places], [folder / place for place in places]
    for target in targets:
        if target.exists():
            raise UsageError(f"{paths.shown(target)} is there already: give another folder, or move it away")
    for source, target in zip(sources, targets, strict=True):
        if source.is_dir():
            shutil.copytree(source, target, ignore=_NO_PART)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return targets


def _place(part: str, bundle: Path) -> Path:
    place = Path(os.path.normpath(part))
    if place.parts[:1] not in [(name,) for name in PARTS] or not (bundle / place).exists():
        raise UsageError(
            f"the specimen has no {part!r}: give {', '.join(PARTS)}, or a file in one such as scenarios/outage.toml"
        )
    return place
