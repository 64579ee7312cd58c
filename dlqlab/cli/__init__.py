"""The command line: options and help here, what each command does in ``actions``: a few lines around the package."""

from dlqlab.cli.program import main

__all__ = ["main"]
