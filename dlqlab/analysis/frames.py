"""Small help with nullable columns."""

from collections import namedtuple
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import pandas as pd


def sure(flags: pd.Series) -> "pd.Series[bool]":
    """A nullable comparison as plain booleans: what is not known is not so."""
    return flags.astype("boolean").fillna(value=False).astype(bool)


def names(values: "pd.Series | pd.Index") -> set[str]:
    """The distinct texts of a column, nulls left out. Iterating the column itself is a hundred times slower."""
    return set(values.dropna().unique().tolist())


def among(values: pd.Series, members: AbstractSet[str]) -> "pd.Series[bool]":
    """Which texts are in a large set: ``isin`` would build an array of the whole set first."""
    return pd.Series([value in members for value in values.tolist()], index=values.index, dtype=bool)


def rows(table: pd.DataFrame) -> Iterator[Any]:
    """The rows as named tuples: ``itertuples`` takes ten times as long over texts."""
    row = namedtuple("Row", table.columns)  # type: ignore[misc]  # noqa: PYI024  (the columns are the caller's)
    return (row(*values) for values in zip(*(table[name].tolist() for name in table.columns), strict=True))
