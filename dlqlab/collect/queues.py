"""All queues once a second: visible, in flight, delayed."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dlqlab.collect.parts import read_part
from dlqlab.collect.ticker import Ticker
from dlqlab.contracts.tables import frame

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

PART_NAME = "queues.jsonl"


@dataclass(frozen=True, slots=True)
class Depth:
    """The three approximate numbers of one queue."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def empty(self) -> bool:
        return not (self.visible or self.in_flight or self.delayed)


def queue_urls(sqs: "SQSClient", queues: Mapping[str, str]) -> dict[str, str]:
    """URLs of queues by the same keys as their names."""
    return {key: sqs.get_queue_url(QueueName=name)["QueueUrl"] for key, name in queues.items()}


def depth(sqs: "SQSClient", url: str) -> Depth:
    """The depth of one queue now."""
    numbers = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return Depth(
        visible=int(numbers["ApproximateNumberOfMessages"]),
        in_flight=int(numbers["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(numbers["ApproximateNumberOfMessagesDelayed"]),
    )


class QueueSampler:
    """Samples queues on a thread of its own from ``start`` to ``stop``; each sample is on disk at once.

    A sample that fails leaves a gap, not an end: ``stop`` raises for it once everything has been written.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        urls: Mapping[str, str],
        folder: Path,
        *,
        interval_s: float = 1.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._sqs = sqs
        self._urls = urls
        self._path = folder / PART_NAME
        self._wall_clock = wall_clock
        self._latest: dict[str, Depth] = {}
        self._lock = threading.Lock()
        self._ticker = Ticker("queue depths", self.sample, interval_s=interval_s)

    def start(self) -> None:
        self._ticker.start()

    def ending(self) -> str | None:
        """How sampling has come to an end, for a sentence; None while it goes on, or was stopped."""
        return self._ticker.ending()

    def stop(self) -> None:
        """End the thread.

        Raises:
            EvidenceError: samples failed; says how many and shows the last error.
        """
        self._ticker.stop()

    def sample(self) -> None:
        """One sample of every queue, appended to the file."""
        with self._path.open("a") as file:
            for queue, url in self._urls.items():
                ts = self._wall_clock()
                now = depth(self._sqs, url)
                file.write(json.dumps({"ts": ts, "queue": queue, **asdict(now)}) + "\n")
                with self._lock:
                    self._latest[queue] = now

    def latest(self) -> dict[str, Depth]:
        """The last sample of each queue."""
        with self._lock:
            return dict(self._latest)


def read_queues(folder: Path) -> pd.DataFrame:
    """The QUEUES table from the samples in a folder.

    Raises:
        EvidenceError: there are none, or a line but the last is damaged.
    """
    return frame("queues", read_part(folder / PART_NAME))
