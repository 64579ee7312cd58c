"""Tables of a notebook whose tasks lead to the page of tasks."""

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from dlqlab.contracts.rundir import RunDir


@dataclass(frozen=True, slots=True, repr=False)
class Linked:
    """A table as notebooks show it. What stands in ``column`` are keys of tasks, each a link to its life on ``page``,
    which is a path from the folder that the notebook works in.
    """

    table: pd.DataFrame
    column: str
    page: str

    def _repr_html_(self) -> str:
        names = list(self.table.columns)
        head = "".join(f"<th>{escape(str(name).replace('_', ' '))}</th>" for name in names)
        rows = "".join(
            f"<tr>{''.join(self._cell(name, value) for name, value in zip(names, values, strict=True))}</tr>"
            for values in self.table.itertuples(index=False, name=None)
        )
        none = f'<tr><td colspan="{len(names)}">none</td></tr>'
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows or none}</tbody></table>"

    def __repr__(self) -> str:
        return self.table.to_string(index=False) if len(self.table) else "none"

    def _cell(self, name: str, value: object) -> str:
        text = escape("" if value is None or value != value else str(value))  # noqa: PLR0124  (NaN is not itself)
        if name == self.column:
            text = f'<a href="{escape(quote(self.page))}#{quote(str(value), safe="")}">{text}</a>'
        return f"<td>{text}</td>"


def linked(table: pd.DataFrame, run: RunDir, column: str = "") -> Linked:
    """The table with links from ``column`` to the page of the run's tasks."""
    return Linked(table, column, os.path.relpath(run.tasks_path, Path.cwd()))
