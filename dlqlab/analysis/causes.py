"""Errors that are the same but for what differs from one message to the next: ids, numbers, quoted values."""

import re

SHAPE_MAX = 160
_PARTS = (
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"'[^']{1,200}'|\"[^\"]{1,200}\""), "<value>"),
    (re.compile(r"\b(?=[0-9a-zA-Z_-]*\d)[a-zA-Z]+[0-9a-zA-Z]*(?:[-_][0-9a-zA-Z]+)+\b"), "<id>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{12,}\b"), "<id>"),
    (re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?"), "<n>"),
)
"""In this order: what an earlier one takes, a later one does not see."""


def shape(text: str) -> str:
    """An error's text with what is peculiar to one message left out: ``order <id> has <n> items``."""
    line = text.strip().partition("\n")[0]
    for pattern, stand_in in _PARTS:
        line = pattern.sub(stand_in, line)
    return line if len(line) <= SHAPE_MAX else f"{line[: SHAPE_MAX - 1]}…"
