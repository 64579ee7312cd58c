"""How a duration is said, so that verdicts and charts say it alike."""

import math

WHOLE_MS_FROM_S = 0.01


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
    return f"{value_s * 1000:.{0 if magnitude_s >= WHOLE_MS_FROM_S else 1}f} ms"
