"""Junk: messages that no client of the API can produce, written straight to the queue."""

import base64
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlqlab.errors import LoadError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH_ENTRIES_MAX = 10
"""Entries of one SendMessageBatch (SQS API reference)."""


@dataclass(frozen=True, slots=True)
class JunkMessage:
    """One junk message that the queue took."""

    message_id: str
    body: str


def junk_bodies(n: int, seed: int) -> tuple[str, ...]:
    """Bodies of every kind in turn; only characters that SQS allows, none empty, each below 64 KiB."""
    draw = random.Random(seed)  # noqa: S311  (not for secrets)
    return tuple(_KINDS[i % len(_KINDS)](draw) for i in range(n))


def send_junk(sqs: "SQSClient", queue_url: str, n: int, seed: int) -> tuple[JunkMessage, ...]:
    """Write junk to the queue; every message that is returned was taken.

    Raises:
        LoadError: the queue refused an entry.
    """
    sent: list[JunkMessage] = []
    for batch in itertools.batched(junk_bodies(n, seed), BATCH_ENTRIES_MAX, strict=False):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(i), "MessageBody": body} for i, body in enumerate(batch)
        ]
        # A 200 may carry refusals of single entries.
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        refused = answer.get("Failed", [])
        if refused:
            reason = refused[0].get("Message", refused[0]["Code"])
            raise LoadError(f"{queue_url} refused {len(refused)} of {len(batch)} junk messages: {reason}")
        sent += [JunkMessage(entry["MessageId"], batch[int(entry["Id"])]) for entry in answer["Successful"]]
    return tuple(sent)


def _nested(draw: random.Random) -> str:
    depth = draw.randrange(200, 2000)
    return "[" * depth + "]" * depth


def _binary(draw: random.Random) -> str:
    return base64.b64encode(draw.randbytes(draw.randrange(16, 400))).decode()


def _truncated(draw: random.Random) -> str:
    whole = json.dumps({"taskId": f"junk-{draw.randrange(10**6)}", "payload": {"n": draw.random()}})
    return whole[: draw.randrange(2, len(whole))]


def _envelope(draw: random.Random) -> str:
    return json.dumps({"Type": "Notification", "MessageId": f"{draw.getrandbits(64):x}", "Message": "a task, wrapped"})


_KINDS: tuple[Callable[[random.Random], str], ...] = (
    lambda draw: f"this is not JSON {draw.random()}",
    lambda _: "{}",
    lambda _: "[]",
    lambda draw: str(draw.randrange(10**6)),
    lambda draw: json.dumps(f"only a text {draw.random()}"),
    lambda _: "null",
    lambda _: "true",
    lambda draw: json.dumps({"payload": {"n": draw.random()}}),
    lambda draw: json.dumps({"taskId": draw.randrange(10**6), "payload": {}}),
    lambda _: json.dumps({"taskId": "", "payload": {}}),
    lambda _: json.dumps({"taskId": None, "payload": {}}),
    lambda draw: json.dumps({"taskId": [f"junk-{draw.random()}"], "payload": {}}),
    lambda draw: json.dumps({"taskId": "x" * draw.randrange(10_000, 60_000)}),
    lambda _: " \t\r\n ",
    lambda draw: "NaN" if draw.random() < 0.5 else "-Infinity",  # noqa: PLR2004  (one of two)
    lambda draw: f"<task id='{draw.random()}'/>",
    lambda _: "\U0001f4a5 \ufffd \u00e9 \u202e",
    _nested,
    _binary,
    _truncated,
    _envelope,
)
