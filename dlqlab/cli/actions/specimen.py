"""What dlqlab comes with: copied out, to read or to change."""

from pathlib import Path

from rich.markup import escape

from dlqlab.bundle import copy_out
from dlqlab.cli.console import OUT
from dlqlab.paths import shown


def copy(folder: Path, parts: tuple[str, ...]) -> None:
    for target in copy_out(folder, parts):
        OUT.print(f"copied: {escape(shown(target))}", soft_wrap=True)
