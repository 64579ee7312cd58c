"""Which tasks of a run are worth a look: dead letters, those that a check of the verdict names, the slowest.

Pure, and on columns: a run may have fifty thousand tasks.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dlqlab.analysis.deliveries import name_of
from dlqlab.contracts.recorded import LEAVES, Kind
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.verdict import Check, SetKind, Verdict
from dlqlab.wording import count

DEAD_LETTER = "dead letter"
SLOW = "slow"
SLOWEST = 50
DEAD_LETTERS_MAX = 2_000
MEMBERS_MAX = 500
"""Of one set of a check."""
_UNNAMED = frozenset({SetKind.ACCOUNT})
"""Sets that hold all tasks, whatever became of them."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A task with all reasons for which it is shown; ``key`` is its task id, or the id of a message of it."""

    key: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The tasks that are shown, and in sentences which are not."""

    tasks: tuple[Chosen, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a run's tasks.

    Args:
        letters: keys of dead letters in the order in which they became that.
        took_s: time from entry to end by key, of all that ended.
    """

    letters: tuple[str, ...]
    took_s: Mapping[str, float]


def choose(seen: Seen, verdict: Verdict) -> Choice:
    """Dead letters first, then what checks name, then the slowest of the others."""
    reasons: dict[str, dict[str, None]] = {}
    left_out: list[str] = []

    def take(keys: Collection[str], reason: str, limit: int) -> None:
        shown = list(dict.fromkeys(keys))
        if len(shown) > limit:
            left_out.append(f"{count(len(shown) - limit, 'more task')} as “{reason}”")
        for key in shown[:limit]:
            reasons.setdefault(key, {})[reason] = None

    take(seen.letters, DEAD_LETTER, DEAD_LETTERS_MAX)
    for reason, members in _named(verdict.checks):
        take(members, reason, MEMBERS_MAX)
    letters = set(seen.letters)
    others = ((took_s, key) for key, took_s in seen.took_s.items() if key not in letters)
    slowest = sorted(others, reverse=True)[:SLOWEST]
    take([key for _, key in slowest], SLOW, SLOWEST)
    return Choice(tuple(Chosen(key, tuple(why)) for key, why in reasons.items()), tuple(left_out))


def _named(checks: Iterable[Check]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The sets of checks with their members, without those that count everything."""
    for check in checks:
        kinds = {one.name: one.kind for one in check.sets}
        for name, members in check.members.items():
            if members and kinds.get(name) not in _UNNAMED:
                yield f"{check.title}: {name.replace('_', ' ')}", members


def seen_in_recording(recording: Recording, task_of: Mapping[str, str], queues: Collection[str] | None) -> Seen:
    """The tasks as the recorder saw them.

    Args:
        recording: what was recorded.
        task_of: task ids by message id, as far as the app told them; other messages stand for themselves.
        queues: names of the pipeline's queues; None where nobody says, so that all count.
    """
    table = recording.messages.select(["ts", "queue", "message_id", "kind"])
    if queues is not None:
        own = [arn for arn in pc.unique(table["queue"]).to_pylist() if name_of(arn) in queues]
        table = table.filter(pc.is_in(table["queue"], pa.array(own, pa.string())))
    rows = table.to_pandas()
    keys = pd.Series([task_of.get(each, each) for each in rows["message_id"].tolist()], rows.index, dtype=object)
    letters = keys[rows["kind"] == Kind.MOVED].tolist()
    entered = rows["ts"][rows["kind"] == Kind.SENT].groupby(keys).min()
    ended = rows["ts"][rows["kind"].isin([*LEAVES])].groupby(keys).max()
    took = (ended - entered).dropna()
    return Seen(
        letters=tuple(dict.fromkeys(letters)), took_s=dict(zip(took.index.tolist(), took.tolist(), strict=True))
    )


def seen_in_events(events: pd.DataFrame) -> Seen:
    """The tasks as the app's own events tell of them."""
    own = events[events["task_id"].notna()]
    letters = own.loc[own["event"] == "task.dead_lettered"].sort_values("ts")["task_id"]
    times = own.groupby("task_id")["ts"].agg(["min", "max"])
    took = times["max"] - times["min"]
    return Seen(
        letters=tuple(dict.fromkeys(letters.tolist())),
        took_s=dict(zip(took.index.tolist(), took.tolist(), strict=True)),
    )
