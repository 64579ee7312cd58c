"""Tables in the terminal."""

from rich.console import Console
from rich.table import Table

from dlqlab.cli.console import OUT


def print_wide(table: Table) -> None:
    """The table as wide as it is where nobody looks at a terminal: no cell is cut for a width that nobody has."""
    if OUT.is_terminal:
        OUT.print(table)
    else:
        Console(file=OUT.file, width=200, highlight=False).print(table)
