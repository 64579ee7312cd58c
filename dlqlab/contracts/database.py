"""DuckDB as dlqlab uses it: in memory, by way of a folder where that is bounded, without anything from the network."""

from pathlib import Path

import duckdb

MEMORY_MAX = "256MB"


def open_database(scratch: Path | None = None, *, memory_max: str = MEMORY_MAX) -> duckdb.DuckDBPyConnection:
    """An empty database.

    Args:
        scratch: folder for what does not fit into ``memory_max``; without it that is an error.
    """
    return duckdb.connect(
        config={
            "memory_limit": memory_max,
            "temp_directory": str(scratch or ""),
            "threads": 2,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def literal(text: object) -> str:
    """A text as SQL has it."""
    return "'" + str(text).replace("'", "''") + "'"
