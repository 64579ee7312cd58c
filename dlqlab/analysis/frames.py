"""Small help with nullable columns."""

from collections.abc import Set as AbstractSet

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
