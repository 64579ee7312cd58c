"""The words of the flight recorder: what can happen to a message, who did it, how an invocation ends; where it lies.

Apart from ``recording``, which has the tables, because the emulator needs these words and no tables.
"""

from enum import StrEnum

RECORDER = "recorder"
"""The patch that records."""

FOLDER = "recording"
"""Below the emulator's state directory."""
BEHIND_MAX_S = 0.5
STATUS_PATH = "/_dlqlab/recording"
"""``GET`` on the emulator writes out everything that has happened so far, then answers with a JSON object:
``recording`` (bool), ``folder`` (path), ``flushed`` (whether all of it is on disk), ``lost`` (rows lost, by reason).
"""


class Kind(StrEnum):
    """What happened to a message in one queue.

    A message enters a queue by ``sent``. It leaves it once, by ``deleted``, ``moved``, ``redriven``, ``filtered``,
    ``expired`` or ``purged``, or is still there. A move is therefore two rows: the message leaves its source by
    ``moved`` and enters the dead-letter queue by ``sent``, whose actor is the source queue. So is a redrive, whose new
    message has the old one among its parents.
    """

    SENT = "sent"
    """Accepted; visible after ``delay_s``."""
    DEDUPLICATED = "deduplicated"
    """A send to a FIFO queue that was accepted and added nothing: ``message_id`` is that of the message it repeats."""
    RECEIVED = "received"
    """Given to a consumer for the n-th time (``receive_count``), hidden from others for ``visible_after_s``."""
    RETURNED = "returned"
    """Visible again after a receive: its visibility timeout is over or was set to 0, or its mapping put it back.

    One that a mapping put back counts as not received: ``receive_count`` is the lower one.
    """
    HIDDEN = "hidden"
    """Its visibility timeout was changed to ``visible_after_s`` from now; with 0 a ``returned`` follows."""
    DELETED = "deleted"
    """Gone by DeleteMessage. After a ``returned`` without another ``received`` the delete came late, and still won."""
    NOT_DELETED = "not_deleted"
    """A delete of a delivery that took nothing out of the queue, and so no way to leave it.

    The message had been received again since, had gone already, or, in a FIFO queue, its visibility timeout was over:
    the rows before say which. ``receive_count`` is null.
    """
    MOVED = "moved"
    """Received once more than its redrive policy allows: it left for the dead-letter queue, undelivered."""
    REDRIVEN = "redriven"
    """Taken out of a dead-letter queue by a message move task."""
    FILTERED = "filtered"
    """Deleted by a mapping, none of whose filters matched it; no function saw it."""
    EXPIRED = "expired"
    """The retention period was over."""
    PURGED = "purged"
    """Gone with all others, by PurgeQueue or with the queue itself."""


ENTERS = frozenset({Kind.SENT})
LEAVES = frozenset({Kind.DELETED, Kind.MOVED, Kind.REDRIVEN, Kind.FILTERED, Kind.EXPIRED, Kind.PURGED})


class ActorKind(StrEnum):
    """Who did it; what names them in the column ``actor``."""

    CLIENT = "client"
    """Whoever calls from outside; ``actor`` is the user agent."""
    INVOCATION = "invocation"
    """A function; ``actor`` is its name, ``request_id`` the invocation, null during an init or after the answer."""
    MAPPING = "mapping"
    """An event source mapping; ``actor`` is its UUID."""
    SERVICE = "service"
    """``actor`` is ``sqs`` for what a queue does by itself, the source queue's ARN for a dead letter, ``redrive`` with
    the task's id, else the service, with the ARN on whose behalf it acts where that is known: ``sns arn:...``. For
    an integration of a REST API, ``apigateway arn:...``, ``request_id`` is the client's; for what SNS delivers,
    ``sns arn:...`` of the topic, it is that of whoever published.
    """


class Outcome(StrEnum):
    """How an invocation ended."""

    OK = "ok"
    """The function answered, whatever it said about single messages of its batch."""
    ERROR = "error"
    """The function reported an error, or answered with more than Lambda takes."""
    TIMEOUT = "timeout"
    CRASH = "crash"
    """The process ended, or spoke no sense, in the middle of the invocation."""
    THROTTLED = "throttled"
    """No concurrency was free: no code ran."""
    INIT_ERROR = "init_error"
    """The function could not be initialised: no handler ran."""
