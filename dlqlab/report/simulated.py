"""The charts of a validation: a measured run and its prediction in, figure out."""

from dlqlab.figures import simulated as figures
from dlqlab.figures.style import Chart
from dlqlab.twin.calibrate import SAMPLE_MIN
from dlqlab.twin.validate import Validation, completed_in


def agreement(validation: Validation) -> Chart:
    """How far each measure's prediction is off."""
    return figures.agreement(validation.table())


def completion_times(validation: Validation) -> Chart:
    """Distributions of the time to completion over each other."""
    predicted = [one.completion_s() for one in validation.other]
    return figures.completion_times(completed_in(validation.facts), predicted, names=("measured", "predicted"))


def durations(validation: Validation) -> Chart:
    """What the prediction took from the other run, beside the same in the predicted one."""
    other, own = ({fit.name: fit for fit in one.fits} for one in validation.calibrations)
    shown = {
        name: (other[name].measured, own[name].measured)
        for name in other
        if min(other[name].n, own[name].n) >= SAMPLE_MIN
    }
    return figures.durations(shown, names=("the run they were taken from", "the predicted run"))
