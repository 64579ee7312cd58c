"""The archive of dead letters, read for people."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dlqlab.collect.table import scan
from dlqlab.errors import UsageError
from taskrules.items import archived_of
from taskrules.store import ArchivedMessage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def read_letters(dynamodb: "DynamoDBClient", archive_table: str, *, now: float) -> list[ArchivedMessage]:
    """Every archived message that has not expired, oldest first.

    DynamoDB removes what has expired within days, not at once, so that is left out here.

    Raises:
        EvidenceError: the table cannot be read.
    """
    letters = [archived_of(item) for item in scan(dynamodb, archive_table)]
    return sorted((letter for letter in letters if letter.expires_ts > now), key=lambda letter: letter.archived_ts)


def select(
    letters: Sequence[ArchivedMessage], *, ids: Iterable[str] = (), cause: str | None = None
) -> list[ArchivedMessage]:
    """The letters of these ids (of a task, or of one archived message) and of this cause (reason or error type).

    Neither given: all of them.

    Raises:
        UsageError: an id or the cause is not in the archive; names it.
    """
    wanted = set(ids)
    unknown = wanted - {letter.archive_id for letter in letters} - {letter.task_id for letter in letters}
    if unknown:
        raise UsageError(f"no dead letter {min(unknown)!r}: give a task id that dlqlab dlq list shows")
    known = causes(letters)
    if cause is not None and cause.lower() not in {name.lower() for name in known}:
        raise UsageError(f"no dead letter has the cause {cause!r}: there are {', '.join(known) or 'none at all'}")
    return [
        letter
        for letter in letters
        if (not wanted or {letter.archive_id, letter.task_id} & wanted)
        and (cause is None or cause.lower() in {letter.reason.lower(), letter.error_type.lower()})
    ]


def causes(letters: Iterable[ArchivedMessage]) -> dict[str, int]:
    """How many letters have each reason and each error type, most first."""
    counted = Counter(name for letter in letters for name in dict.fromkeys((letter.reason, letter.error_type)))
    return dict(counted.most_common())
