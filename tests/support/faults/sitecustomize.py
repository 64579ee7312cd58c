"""Breaks parts of an emulator on purpose. Python imports it when an emulator starts that a test gives this folder to.

The file of a fault's name in the folder TEST_FAULTS makes the part raise, or hang until the file is gone. What was
broken leaves a file with the ending ``.struck``. Nothing in the package knows of this.
"""

import functools
import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlqlab.emulator import patches

FOLDER = Path(os.environ["TEST_FAULTS"])
FAULTS = {
    "spill-file": ("dlqlab.emulator.core.spill_file", "SpillFile.put"),
    "embedded": ("dlqlab.emulator.logs.metrics.embedded_metrics", "extract"),
    "metric-filter": ("dlqlab.emulator.logs.metrics.metric_filters", "count"),
    "forward": ("dlqlab.emulator.logs.subscriptions.subscription_filters", "forward"),
    "deliver": ("dlqlab.emulator.logs.subscriptions.delivery", "_invoke"),
    "sums": ("dlqlab.emulator.metrics.sums", "MetricSums.add"),
    "database": ("dlqlab.emulator.metrics.sums", "store"),
    "group": ("moto.logs.models", "LogsBackend.create_log_group"),
    "queue-metric": ("localstack.services.sqs.provider", "CloudwatchDispatcher.dispatch_metric_message_sent"),
    "receive-metric": ("localstack.services.sqs.provider", "CloudwatchDispatcher.dispatch_metric_received"),
    "delete-metric": ("localstack.services.sqs.provider", "CloudwatchDispatcher.dispatch_metric_message_deleted"),
    "labels": ("localstack.utils.analytics.metrics.counter", "LabeledCounter.labels"),
    "counter": ("localstack.utils.analytics.metrics.counter", "ThreadSafeCounter.increment"),
    "timer": ("dlqlab.emulator.functions.shared_timers", "SharedTimer.start"),
    "timer-end": ("dlqlab.emulator.functions.shared_timers", "SharedTimer.cancel"),
}


def break_part(name: str, module: str, path: str) -> None:
    """Wrap a function so that it fails while the file of this name is there."""
    *classes, attribute = path.split(".")
    owner: Any = functools.reduce(getattr, classes, importlib.import_module(module))
    original = getattr(owner, attribute)

    @functools.wraps(original)
    def broken(*args: Any, **kwargs: Any) -> Any:
        switch = FOLDER / name
        try:
            mode = switch.read_text()
        except FileNotFoundError:
            return original(*args, **kwargs)
        (FOLDER / f"{name}.struck").touch()
        if mode == "raise":
            raise RuntimeError(f"{name} is broken on purpose")
        while switch.exists():
            time.sleep(0.01)
        return original(*args, **kwargs)

    setattr(owner, attribute, broken)


def breaking_first(apply: Callable[[tuple[str, ...]], None]) -> Callable[[tuple[str, ...]], None]:
    """The patches, applied around parts that can be broken."""

    def breaking(names: tuple[str, ...]) -> None:
        for name, (module, path) in FAULTS.items():
            break_part(name, module, path)
        apply(names)

    return breaking


patches.apply = breaking_first(patches.apply)  # type: ignore[assignment]
