"""The specimen that dlqlab comes with, for whoever wants to read or change it: copied out, part by part."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from dlqlab import paths
from dlqlab.errors import UsageError

PARTS = ("app", "loadtest", "notebooks", "scenarios", "docs")
_NO_PART = shutil.ignore_patterns("deployed", "deployments", "venv", "__pycache__", ".ipynb_checkpoints")


def copy_out(folder: Path, parts: Sequence[str] = (), bundle: Path = paths.BUNDLE) -> list[Path]:
    """Copy the parts, or all of them, to the same places under ``folder``; returns the copies.

    A part is a folder of ``PARTS`` or something in one, such as ``scenarios/outage.toml``. Nothing is overwritten.

    Raises:
        UsageError: there is no such part, or something lies in its place; then nothing was copied.
    """
    sources = [_source(part, bundle) for part in parts or PARTS]
    targets = [folder / source.relative_to(bundle.resolve()) for source in sources]
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


def _source(part: str, bundle: Path) -> Path:
    source = (bundle / part).resolve()
    inside = source.is_relative_to(bundle.resolve()) and source.exists()
    if not inside or source.relative_to(bundle.resolve()).parts[:1] not in [(name,) for name in PARTS]:
        raise UsageError(
            f"the specimen has no {part!r}: give {', '.join(PARTS)}, or a file in one such as scenarios/outage.toml"
        )
    return source
