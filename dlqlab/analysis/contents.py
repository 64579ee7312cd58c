"""Payloads as JSON values: what clients sent, and where another value differs from it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from dlqlab.contracts.outcomes import NOT_TAKEN

SHOWN_CHARACTERS_MAX = 60


def difference(expected: Any, found: Any, path: str = "payload") -> str | None:
    """The first place where two JSON values differ, in words; None where they are equal. True is not 1."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return _first(_of_key(expected, found, key, path) for key in sorted(expected.keys() | found.keys()))
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return _first(difference(*pair, f"{path}[{index}]") for index, pair in pairs)
    if _as_text(expected) == _as_text(found):
        return None
    return f"{path}: {_short(expected)} sent, {_short(found)} there"


def _of_key(expected: dict[str, Any], found: dict[str, Any], key: str, path: str) -> str | None:
    if key not in found:
        return f"{path}.{key}: {_short(expected[key])} sent, nothing there"
    if key not in expected:
        return f"{path}.{key}: nothing sent, {_short(found[key])} there"
    return difference(expected[key], found[key], f"{path}.{key}")


def _first(texts: Iterator[str | None]) -> str | None:
    return next((text for text in texts if text), None)


def sent_payloads(ledger: pd.DataFrame) -> dict[str, list[str]]:
    """Task id -> the JSON texts that its client may have been taken at, each once."""
    chosen = ledger[ledger["task_id"].notna() & ledger["payload"].notna()]
    taken = chosen[~chosen["outcome"].isin(NOT_TAKEN).astype(bool)]
    found: dict[str, list[str]] = {}
    for task, payload in taken[["task_id", "payload"]].drop_duplicates().itertuples(index=False):
        found.setdefault(task, []).append(payload)
    return found


def text_difference(sent: str, found: Any, redacted: Callable[[Any], Any] | None) -> str | None:
    """The first difference of a JSON text from what was sent, in words; what was sent may have to be redacted first."""
    if pd.isna(found):
        return "there is none"
    if redacted is None and found == sent:
        return None  # the usual case, without reading either
    expected = json.loads(sent) if redacted is None else redacted(json.loads(sent))
    try:
        value = json.loads(found)
    except ValueError:
        return f"payload: {_short(expected)} sent, no JSON there: {str(found)[:SHOWN_CHARACTERS_MAX]}"
    return difference(expected, value)


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}..."
