"""Before the load: how late the target alone returns a message, what it does as AWS, and functions that are warm."""

import statistics
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dlqlab.deploy.target import Target
from dlqlab.deploy.verify import call_api, invoke_empty
from dlqlab.errors import DeployError
from dlqlab.fidelity.findings import run_probes
from dlqlab.fidelity.probes import QUICK, visibility_tick
from dlqlab.pollers import STARTING_POLLERS
from dlqlab.waiting import wait_for

PROBE_BACKOFF_S = 1
PROBE_MESSAGES = 20
PROBE_SPREAD_S = 0.5
"""Messages that were all due at the same moment would show a queue's clock of a second only by the luck of its phase;
spread over this long, wherever the clock ticks, some of them wait for longer than ``fidelity.probes.TICK_MAX_S``."""
PROBE_DEADLINE_S = 30.0
LATENCY_CALLS = 15
FIDELITY_DEADLINE_S = 3.0
_BATCH = 10


def probe_retries(target: Target) -> dict[str, Any]:
    """How late messages come back that were hidden for 1 s, on a queue of its own and with nothing else going on.

    That is the target's own share of every retry's lateness: its clock, its queue, one request. Returns ``n``,
    ``median_s``, ``p95_s``, ``backoff_s``.
    """
    sqs = target.client("sqs")
    url = sqs.create_queue(QueueName=f"dlqlab-probe-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    try:
        for start in range(0, PROBE_MESSAGES, _BATCH):
            entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(start, start + _BATCH)]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        hidden: dict[str, float] = {}
        wait_for("probe messages", lambda: _hide(sqs, url, hidden), deadline_s=PROBE_DEADLINE_S, interval_s=0)
        late: list[float] = []
        wait_for("their return", lambda: _take(sqs, url, hidden, late), deadline_s=PROBE_DEADLINE_S, interval_s=0)
    finally:
        sqs.delete_queue(QueueUrl=url)
    late_s = sorted(late)
    return {
        "n": len(late_s),
        "median_s": round(statistics.median(late_s), 6),
        "p95_s": round(late_s[int(0.95 * (len(late_s) - 1))], 6),
        "backoff_s": PROBE_BACKOFF_S,
    }


def probe_fidelity(target: Target, retry_probe: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of the fidelity card by the short probes, about a second; the long one is ``dlqlab preflight``'s.

    Afterwards and not beside the retry probe, which wants the target to itself.
    """
    found = [visibility_tick(retry_probe), *run_probes(target.client, QUICK, deadline_s=FIDELITY_DEADLINE_S)]
    return [finding.to_json() for finding in found]


def warm_up(target: Target, url: str, users: int) -> None:
    """Start the execution environments that the load will find: a flood must not measure cold starts only.

    Raises:
        DeployError: the API or a function does not work.
    """
    names, functions = target.names, target.client("lambda")
    with ThreadPoolExecutor(users + 2 * STARTING_POLLERS) as pool:
        # A look-up, because it makes the API's clients too; /health asks nothing of anybody.
        calls = [pool.submit(call_api, url, "/tasks/warm-up") for _ in range(users)]
        invocations = [
            pool.submit(invoke_empty, functions, function)
            for function in (names.processor_function, names.monitor_function)
            for _ in range(STARTING_POLLERS if function == names.processor_function else 1)
        ]
        for call in calls:
            status, answer = call.result()
            if status != 404:  # noqa: PLR2004
                raise DeployError(f"{url}/tasks/warm-up answered {status}, expected 404: {answer}")
        for invocation in invocations:
            invocation.result()


def probe_latency(target: Target, url: str) -> dict[str, float]:
    """Median milliseconds of a request to the API and of an invocation of the processor, one at a time and at rest.

    Neither leaves a task or a log event behind.

    Raises:
        DeployError: the API or the function does not work.
    """
    functions, processor = target.client("lambda"), target.names.processor_function
    calls: Mapping[str, Callable[[], object]] = {
        "api_ms": lambda: call_api(url, "/health"),
        "processor_ms": lambda: invoke_empty(functions, processor),
    }
    times = {name: [_timed_ms(call) for _ in range(LATENCY_CALLS)] for name, call in calls.items()}
    return {name: round(statistics.median(found), 3) for name, found in times.items()}


def _timed_ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _hide(sqs: Any, url: str, hidden: dict[str, float]) -> tuple[bool, str]:
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1).get("Messages", [])
    for message in messages:
        time.sleep(PROBE_SPREAD_S / PROBE_MESSAGES)
        # Noted before the call: the message cannot be due earlier than this plus its backoff.
        hidden[message["MessageId"]] = time.time() + PROBE_BACKOFF_S
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=PROBE_BACKOFF_S
        )
    return len(hidden) == PROBE_MESSAGES, f"{len(hidden)} of {PROBE_MESSAGES} received"


def _take(sqs: Any, url: str, hidden: dict[str, float], late: list[float]) -> tuple[bool, str]:
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=2).get("Messages", [])
    now = time.time()
    late += [now - hidden[message["MessageId"]] for message in messages]
    return len(late) == PROBE_MESSAGES, f"{len(late)} of {PROBE_MESSAGES} came back"
