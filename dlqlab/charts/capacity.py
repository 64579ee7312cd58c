"""What charts of the chosen setting share."""

from dlqlab.tune.sweep import Sweep

NO_LABEL = "no setting chosen"
SUBTITLE_COLUMNS = 76


def label_of(sweep: Sweep) -> str:
    """The chosen setting's label."""
    return NO_LABEL if sweep.chosen is None else str(sweep.chosen["label"])


def thousands(value: float, _place: float = 0) -> str:
    return f"{value:,g}"
