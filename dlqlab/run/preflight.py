"""Before the load: how late the target alone returns a message, what it does as AWS, and functions that are warm."""

import statistics
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dlqlab.contracts.manifest import CardEntry, Latency, RetryProbe
from dlqlab.deploy.target import Target
from dlqlab.deploy.verify import call_api, invoke_empty
from dlqlab.errors import DeployError
from dlqlab.fidelity.findings import Finding, run_probes
from dlqlab.fidelity.probes import QUICK, visibility_tick
from dlqlab.pollers import STARTING_POLLERS
from dlqlab.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PROBE_BACKOFF_S = 1
PROBE_MESSAGES = 20
PROBE_SPREAD_S = 0.5
"""Messages that were all due at the same moment would show a queue's clock of a second only by the luck of its phase;
spread over this long, wherever the clock ticks, some of them wait for longer than ``fidelity.probes.TICK_MAX_S``."""
PROBE_DEADLINE_S = 30.0
LATENCY_CALLS = 15
FIDELITY_DEADLINE_S = 3.0
NOT_FOUND = 404
_BATCH = 10


def probe_retries(target: Target) -> RetryProbe:
    """How late messages come back that were hidden for 1 s, on a queue of its own and with nothing else going on.

    That is the target's own share of every retry's lateness: its clock, its queue, one request.
    """
    sqs: SQSClient = target.client("sqs")
    url = sqs.create_queue(QueueName=f"dlqlab-probe-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    try:
        for start in range(0, PROBE_MESSAGES, _BATCH):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(n), "MessageBody": str(n)} for n in range(start, start + _BATCH)
            ]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        hidden: dict[str, float] = {}
        wait_for("probe messages", lambda: _hide(sqs, url, hidden), deadline_s=PROBE_DEADLINE_S, interval_s=0)
        late: list[float] = []
        wait_for("their return", lambda: _take(sqs, url, hidden, late), deadline_s=PROBE_DEADLINE_S, interval_s=0)
    finally:
        sqs.delete_queue(QueueUrl=url)
    late_s = sorted(late)
    return RetryProbe(
        n=len(late_s),
        median_s=round(statistics.median(late_s), 6),
        p95_s=round(late_s[int(0.95 * (len(late_s) - 1))], 6),
        backoff_s=PROBE_BACKOFF_S,
    )


def probe_fidelity(target: Target, retry_probe: RetryProbe) -> list[CardEntry]:
    """Entries of the fidelity card by the short probes, about a second; the long one is ``dlqlab preflight``'s.

    Afterwards and not beside the retry probe, which wants the target to itself.
    """
    tick = visibility_tick(n=retry_probe.n, median_s=retry_probe.median_s, p95_s=retry_probe.p95_s)
    return [card_entry(found) for found in (tick, *run_probes(target.client, QUICK, deadline_s=FIDELITY_DEADLINE_S))]


def card_entry(found: Finding) -> CardEntry:
    """The line of the fidelity card for what a probe found."""
    return CardEntry(name=found.name, ok=found.ok, statement=found.statement, measured=found.measured)


def warm_up(target: Target, url: str, users: int) -> None:
    """Start the execution environments that the load will find: a flood must not measure cold starts only.

    Raises:
        DeployError: the API or a function does not work.
    """
    work = target.topology.work
    functions: LambdaClient = target.client("lambda")
    with ThreadPoolExecutor(users + 2 * STARTING_POLLERS) as pool:
        # A look-up, because it makes the API's clients too; /health asks nothing of anybody.
        calls = [pool.submit(call_api, url, "/tasks/warm-up") for _ in range(users)]
        invocations = [
            pool.submit(invoke_empty, functions, function.name)
            for function, pollers in ((work.consumer, STARTING_POLLERS), (work.dead_letter_consumer, 1))
            for _ in range(pollers)
        ]
        for call in calls:
            status, answer = call.result()
            if status != NOT_FOUND:
                raise DeployError(f"{url}/tasks/warm-up answered {status}, expected 404: {answer}")
        for invocation in invocations:
            invocation.result()


def probe_latency(target: Target, url: str) -> Latency:
    """Median milliseconds of a request to the API and of an invocation of the processor, one at a time and at rest.

    Neither leaves a task or a log event behind.

    Raises:
        DeployError: the API or the function does not work.
    """
    functions, worker = target.client("lambda"), target.topology.work.consumer.name
    return Latency(
        api_ms=_median_ms(lambda: call_api(url, "/health")),
        processor_ms=_median_ms(lambda: invoke_empty(functions, worker)),
    )


def _median_ms(call: Callable[[], object]) -> float:
    return round(statistics.median(_timed_ms(call) for _ in range(LATENCY_CALLS)), 3)


def _timed_ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _hide(sqs: "SQSClient", url: str, hidden: dict[str, float]) -> tuple[bool, str]:
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1).get("Messages", [])
    for message in messages:
        time.sleep(PROBE_SPREAD_S / PROBE_MESSAGES)
        # Noted before the call: the message cannot be due earlier than this plus its backoff.
        hidden[message["MessageId"]] = time.time() + PROBE_BACKOFF_S
        sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=PROBE_BACKOFF_S
        )
    return len(hidden) == PROBE_MESSAGES, f"{len(hidden)} of {PROBE_MESSAGES} received"


def _take(sqs: "SQSClient", url: str, hidden: dict[str, float], late: list[float]) -> tuple[bool, str]:
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=2).get("Messages", [])
    now = time.time()
    late += [now - hidden[message["MessageId"]] for message in messages]
    return len(late) == PROBE_MESSAGES, f"{len(late)} of {PROBE_MESSAGES} came back"
