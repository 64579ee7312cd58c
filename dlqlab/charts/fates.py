"""The colours of what follows an attempt."""

from collections.abc import Mapping

from dlqlab.analysis.series import Fate
from dlqlab.charts.style import COMPLETED, DEAD, RETRYING, UNKNOWN

FATES: Mapping[str, str] = {
    Fate.COMPLETED: COMPLETED,
    Fate.RETRIED: RETRYING,
    Fate.DEAD_LETTERED: DEAD,
    Fate.NO_END_SEEN: UNKNOWN,
}
