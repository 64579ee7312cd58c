"""How a duration is said, so that verdicts and charts say it alike."""

import math


def duration(value_s: float) -> str:
    """A duration with two or three digits that matter: ``12 ms``, ``0.21 s``, ``6.30 s``, ``75.2 s``, ``1,200 s``."""
    if not math.isfinite(value_s):
        return "-"
    magnitude_s = abs(value_s)
    for least_s, digits in ((100, 0), (10, 1), (0.1, 2)):
        if magnitude_s >= least_s:
            return f"{value_s:,.{digits}f} s"
    if not value_s:
        return "0 s"
    return f"{value_s * 1000:.0f} ms" if magnitude_s >= 0.01 else f"{value_s * 1000:.1f} ms"  # noqa: PLR2004
