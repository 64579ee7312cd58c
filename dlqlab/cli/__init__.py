"""The command line: each command is a few lines around a function of the package."""

from dlqlab.cli.program import main

__all__ = ["main"]
