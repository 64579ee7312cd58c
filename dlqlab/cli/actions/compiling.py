"""A word before the wait of a first simulation."""

from dlqlab.cli.console import ERR
from dlqlab.twin.engine import compiled


def say_what_takes_so_long() -> None:
    """The engine of the simulation is compiled when it is first needed, which is silent for half a minute or more."""
    if not compiled.is_kept():
        ERR.print("compiling the simulation, once for this version of it: half a minute or more", soft_wrap=True)
