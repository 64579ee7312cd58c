"""Charts as pure functions: tidy data in, figure out. What cannot be drawn becomes a chart that says why."""

from dlqlab.figures.comparison import EffectRow, distributions, effects
from dlqlab.figures.fates import (
    FATES,
    attempt_fates,
    causes,
    dead_letter_ages,
    task_timelines,
)
from dlqlab.figures.judged import ALL, dlq_volume, failure_rate, retry_gaps
from dlqlab.figures.lateness import Probe, lateness_over_time, lateness_parts, lateness_quantiles, retry_lateness
from dlqlab.figures.over_time import Phases, host_load, latency, queue_depths, throughput
from dlqlab.figures.style import Chart, annotated, no_data

__all__ = [
    "ALL",
    "FATES",
    "Chart",
    "EffectRow",
    "Phases",
    "Probe",
    "annotated",
    "attempt_fates",
    "causes",
    "dead_letter_ages",
    "distributions",
    "dlq_volume",
    "effects",
    "failure_rate",
    "host_load",
    "latency",
    "lateness_over_time",
    "lateness_parts",
    "lateness_quantiles",
    "no_data",
    "queue_depths",
    "retry_gaps",
    "retry_lateness",
    "task_timelines",
    "throughput",
]
