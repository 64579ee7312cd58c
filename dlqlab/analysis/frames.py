"""Small help with nullable columns."""

import pandas as pd


def sure(flags: pd.Series) -> "pd.Series[bool]":
    """A nullable comparison as plain booleans: what is not known is not so."""
    return flags.astype("boolean").fillna(value=False).astype(bool)
