"""What is measured: LocalStack as it comes, LocalStack with what dlqlab gives it, MiniStack; each with the same app.

A system is a context manager: it starts on a free port of 127.0.0.1, deploys, warms up, and has been stopped by its
own id when the context ends.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dlqlab import paths
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import pipeline
from dlqlab.deploy.target import Target, local_target
from dlqlab.emulator import settings
from dlqlab.emulator.core import processors
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.patches import ALL
from dlqlab.errors import DeployError
from dlqlab.run import preflight

RUN_ID = "benchmark"
STATE = paths.STATE / "benchmarks"
WARM_UP_DEADLINE_S = 60.0

STOCK_SETTINGS: Mapping[str, str] = {
    settings.DYNAMODB: settings.DYNAMODB_MOTO,
    settings.PROCESSOR: processors.NONE,
    "LAMBDA_SYNCHRONOUS_CREATE": "0",
    "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "1",
    "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "10",
}
"""LocalStack's own defaults (localstack/config.py) where ours differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A system with the app deployed and warm."""

    name: str
    target: Target
    url: str
    pid: int
    ready_s: float
    """From the start of the process to the app deployed, without the warm-up."""


@contextmanager
def stock(scenario: Scenario) -> Iterator[Running]:
    """LocalStack with its own settings and no patch.

    Two parts are ours, because it has none without Docker: the process runtime for functions and moto's DynamoDB. A
    third is, because its own server listens on all interfaces: the threaded server, which is faster than its own.
    """
    with localstack("stock", scenario, patches=(), extra=STOCK_SETTINGS) as running:
        yield running


@contextmanager
def ours(scenario: Scenario) -> Iterator[Running]:
    """LocalStack as dlqlab runs it."""
    with localstack("ours", scenario, patches=ALL, extra={}) as running:
        yield running


@contextmanager
def localstack(
    name: str, scenario: Scenario, *, patches: tuple[str, ...], extra: Mapping[str, str]
) -> Iterator[Running]:
    """LocalStack with these patches, and these settings besides dlqlab's own."""
    began = time.monotonic()
    emulator = lifecycle.start(ANY_PORT, bound=True, patches=patches, root=STATE, extra=extra)
    try:
        target = local_target(emulator)
        url = pipeline.apply(target, scenario, progress=lambda _text: None)
        pipeline.configure(target, scenario, RUN_ID, run_started_ts=time.time())
        ready_s = time.monotonic() - began
        warm_up(target, url, scenario.load.users)
        yield Running(name=name, target=target, url=url, pid=emulator.pid, ready_s=ready_s)
    finally:
        lifecycle.stop(emulator)
    shutil.rmtree(emulator.state)  # not after an error: its log may say why


def warm_up(target: Target, url: str, users: int) -> None:
    """Every execution environment that the load will find; again where an answer took too long on a busy machine.

    Raises:
        DeployError: the API or a function does not work.
    """
    deadline = time.monotonic() + WARM_UP_DEADLINE_S
    while True:
        try:
            preflight.warm_up(target, url, users)
        except DeployError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def state_dir(name: str, port: int) -> Path:
    return STATE / f"{name}-{port}"
