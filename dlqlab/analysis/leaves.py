"""Values inside bodies and items' keys: what a message or a call is about."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

type Leaf = tuple[str, str]
"""Where a value stands, as ``detail.taskId``, and the value as text."""

DEPTH_MAX = 32
_KEPT = 1024
"""Bodies and keys whose values are remembered: each message of a batch asks for those of all its mates."""
_NESTED = ("{", "[")
_JOINTS = re.compile(r"[#|:/]")
_TYPED = frozenset({"S", "N", "B"})


def leaves(body: str) -> Iterator[Leaf]:
    """The texts and numbers of a JSON body, also of JSON inside a text, as SNS wraps it; else the whole body."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        yield "", body
        return
    yield from _leaves(value, "", 0)


@lru_cache(maxsize=_KEPT)
def values_of(body: str) -> frozenset[str]:
    """The values of a body, wherever they stand in it."""
    return frozenset(value for _, value in leaves(body))


@lru_cache(maxsize=_KEPT)
def key_values(item_key: str) -> frozenset[str]:
    """The values of an item's key, whole and in parts: ``t-1#2`` is about ``t-1`` as well."""
    whole = frozenset(whole_key_values(item_key))
    return whole | {part for value in whole for part in _JOINTS.split(value) if not part.isdigit()}


def key_text(item_key: str) -> str:
    """An item's key for people: ``taskId=t-1``."""
    try:
        found = json.loads(item_key)
        return " ".join(f"{name}={next(iter(typed.values()))}" for name, typed in found.items())
    except (ValueError, AttributeError, StopIteration):
        return item_key


def whole_key_values(item_key: str) -> set[str]:
    """The values of an item's key, as DynamoDB types them; a message id, which SQS has in its place, is one."""
    try:
        found = json.loads(item_key)
    except ValueError:
        return {item_key}
    if not isinstance(found, dict):
        return {item_key}
    return {
        str(value)
        for typed in found.values()
        if isinstance(typed, dict)
        for kind, value in typed.items()
        if kind in _TYPED
    }


def _leaves(value: Any, path: str, depth: int) -> Iterator[Leaf]:
    if depth > DEPTH_MAX:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]", depth + 1)
    elif isinstance(value, str) and value.lstrip().startswith(_NESTED):
        yield path, value
        yield from ((where, text) for where, text in _inside(value, path, depth) if where != path)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield path, str(value)


def _inside(text: str, path: str, depth: int) -> Iterator[Leaf]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from _leaves(value, path, depth + 1)
