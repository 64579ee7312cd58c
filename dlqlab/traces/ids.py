"""Names of traces and spans: X-Ray's own where a trace header gives one, else a hash of what they are about.

A span's id is made of what it is about and nothing else, so that a link can be made to it without it, and a second
export of a run has the same ids.
"""

import hashlib
import re

_XRAY = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_ZERO = "0" * 32


def trace_id(root: str) -> str:
    """32 hexadecimal digits, as OpenTelemetry names the trace of an X-Ray trace header's root.

    What is no trace id of X-Ray ("Trace ID format" in its developer guide) is hashed.
    """
    found = _XRAY.fullmatch(root)
    plain = found[1] + found[2] if found else _ZERO
    return made_trace_id("root", root) if plain == _ZERO else plain


def made_trace_id(*about: object) -> str:
    """For a trace that no header names."""
    return _digest(about, 32)


def span_id(*about: object) -> str:
    """16 hexadecimal digits, never all zero in practice."""
    return _digest(about, 16)


def xray_id(trace: str) -> str:
    """The same trace, as X-Ray writes it."""
    return f"1-{trace[:8]}-{trace[8:]}"


def _digest(about: tuple[object, ...], digits: int) -> str:
    return hashlib.sha256("\0".join(map(str, about)).encode("utf-8", "surrogatepass")).hexdigest()[:digits]
