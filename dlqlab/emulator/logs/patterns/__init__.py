"""Filter patterns of CloudWatch Logs: which log lines a pattern matches, and the values that it finds in them. Pure.

The rules are those of "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live
Tail" (Amazon CloudWatch Logs user guide). Three kinds of pattern: terms (``ERROR -retry``), JSON (``{ $.a = 1 }``) and
space-delimited (``[ip, ..., status = 4*]``).
"""

import functools

from dlqlab.emulator.logs.patterns import columns, selectors, terms
from dlqlab.emulator.logs.patterns.base import FilterPatternError, Match, Pattern

__all__ = ["PATTERN_CHARACTERS_MAX", "FilterPatternError", "Match", "Pattern", "compile_pattern"]

PATTERN_CHARACTERS_MAX = 1024


@functools.lru_cache(1024)
def compile_pattern(text: str) -> Pattern:
    """What a pattern means.

    Raises:
        FilterPatternError: it breaks the syntax; its text is worded as AWS's.
    """
    stripped = text.strip()
    if len(text) > PATTERN_CHARACTERS_MAX:
        raise FilterPatternError(f"{len(text)} characters: at most {PATTERN_CHARACTERS_MAX}")
    if stripped.startswith("{"):
        return selectors.compile_selectors(stripped)
    if stripped.startswith("["):
        return columns.compile_columns(stripped)
    return terms.compile_terms(stripped)
