"""The comparison of what several plays of the same tasks leave behind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.analysis.same_end import Comparison, Kind, same_end
from dlqlab.contracts.end_state import EndState, Item, Played, values_of

TASKS = tuple(f"t-1-{n:08d}" for n in range(4))
ORDERS = "dynamodb orders"


def item(key: str, **values: object) -> Item:
    return Item(key=key, values=dict(values_of(values)))


def orders(status: str = "done", at: float = 1.76e9) -> list[Item]:
    """An order of each task, with a time stamp that no other play has."""
    return [item(task, id=task, status=status, updatedAt=at + n / 7) for n, task in enumerate(TASKS)]


def played(*items: Item, place: str = ORDERS, accepted: Sequence[str] = TASKS) -> Played:
    return Played(run_id="r", drained=True, accepted=tuple(accepted), end=EndState(places={place: tuple(items)}))


def compared(*plays: Played, volatile: Sequence[str] = ()) -> Comparison:
    first, second, play = plays
    return same_end(first, second, play, volatile)


def said(found: Comparison) -> Mapping[str, str]:
    """What is not the same, in words, by item."""
    return {one.name: f"{one.kind}: {one.text}" for one in found.findings if one.kind is not Kind.SAME}


def test_time_stamps_are_no_difference() -> None:
    found = compared(played(*orders(at=1.76e9)), played(*orders(at=1.77e9)), played(*orders(at=1.78e9)))

    assert said(found) == {}
    assert len(found.of(Kind.SAME)) == len(TASKS)
    assert ["dynamodb orders updatedAt"] == [str(one) for one in found.left_out]


def test_changed_missing_and_new_items_are_named() -> None:
    references = [played(*orders(at=at)) for at in (1.76e9, 1.77e9)]
    lost, failed, *others = orders(at=1.78e9)
    failed = replace(failed, values={**failed.values, "status": '"failed"'})
    stranger = item("x", id="x", status="done")

    found = compared(*references, played(failed, *others, stranger))

    assert said(found) == {
        f"{ORDERS}/{lost.key}": "missing: missing",
        f"{ORDERS}/{failed.key}": 'changed: status "failed", "done" in the reference plays',
        f"{ORDERS}/x": "more: there once, not there in the reference plays",
    }


def test_second_bill_of_a_task_is_more_though_every_bill_has_an_id_of_its_own() -> None:
    """Keys that are made anew: an item is known by the task that it is about."""

    def bills(play: int, *tasks: str) -> list[Item]:
        return [
            item(f"{play:04x}{n:04x}-aaaa-4aaa-8aaa-{play:06x}{n:06x}", order=task, total=5)
            for n, task in enumerate(tasks)
        ]

    found = compared(played(*bills(1, *TASKS)), played(*bills(2, *TASKS)), played(*bills(3, *TASKS, TASKS[2])))

    assert said(found) == {f"{ORDERS}/{TASKS[2]}": "more: there twice, once in the reference plays"}


def test_bills_of_tasks_with_keys_of_their_owners_own() -> None:
    """Keys as the project file finds them in bodies; bills have random names that nothing tells from others."""
    keys = ("o-1", "o-2")
    plays = [["fhqzkp", "wvxjrm"], ["qpzmls", "kkdjxy"], ["zzrwqp", "mxhdku"]]
    first, second, play = (
        played(*(item(name, order=key, total=5) for name, key in zip(names, keys, strict=True)), accepted=keys)
        for names in plays
    )
    assert said(compared(first, second, play)) == {}
    spoiled = replace(play.end.places[ORDERS][1], values={"order": '"o-2"', "total": "6"})
    broken = replace(play, end=EndState(places={ORDERS: (play.end.places[ORDERS][0], spoiled)}))
    assert said(compared(first, second, broken)) == {f"{ORDERS}/o-2": "changed: total 6, 5 in the reference plays"}


def test_key_that_is_partly_a_time_stamp_is_known_by_the_rest() -> None:
    def entries(second: int) -> list[Item]:
        return [item(f"{task}/2026-11-29T00:00:{second:02d}Z", state="sent") for task in TASKS]

    assert said(compared(played(*entries(1)), played(*entries(2)), played(*entries(3)))) == {}
    found = compared(played(*entries(1)), played(*entries(2)), played(*entries(3)[1:]))
    assert said(found) == {f"{ORDERS}/{TASKS[0]}/*": "missing: missing"}


def test_dead_letter_that_is_in_no_reference_is_named_by_its_task() -> None:
    letter = item("", id=TASKS[1], n=1)
    found = compared(played(place="sqs dead"), played(place="sqs dead"), played(letter, place="sqs dead"))
    assert said(found) == {f"sqs dead/{TASKS[1]}": "more: there once, not there in the reference plays"}


def test_items_without_key_and_task_are_counted_by_what_they_hold() -> None:
    one, other = item("", what="a"), item("", what="b")
    found = compared(*(played(*items, place="sqs dead") for items in ([one, other], [other, one], [one, one])))
    assert said(found) == {"sqs dead/any": 'changed: what "a", "b" in the reference plays'}


def test_where_the_references_differ_themselves_nothing_is_judged() -> None:
    """A status is no time stamp: that one task failed in one of the reference plays hides no other's failure."""
    first, second, play = orders(at=1.76e9), orders(at=1.77e9), orders(at=1.78e9)
    second[0] = replace(second[0], values={**second[0].values, "status": '"failed"'})
    play[1] = replace(play[1], values={**play[1].values, "status": '"failed"'})

    found = compared(played(*first), played(*second), played(*play))

    assert said(found) == {
        f"{ORDERS}/{TASKS[0]}": "unsettled: the reference plays differ in status",
        f"{ORDERS}/{TASKS[1]}": 'changed: status "failed", "done" in the reference plays',
    }
    assert said(compared(played(*first), played(*second), played(*play), volatile=["status"])) == {}


def test_measured_times_are_no_difference_and_counts_of_a_few_are() -> None:
    def measured(took_ms: Sequence[int], tries: Sequence[int]) -> Played:
        rows = zip(TASKS, took_ms, tries, strict=True)
        return played(*(item(task, took_ms=took, tries=tried) for task, took, tried in rows))

    found = compared(
        measured([11, 12, 13, 14], [1, 1, 1, 1]),
        measured([15, 12, 11, 10], [1, 1, 1, 2]),
        measured([12, 12, 17, 14], [1, 2, 1, 1]),
    )

    assert said(found) == {
        f"{ORDERS}/{TASKS[1]}": "changed: tries 2, 1 in the reference plays",
        f"{ORDERS}/{TASKS[3]}": "unsettled: the reference plays differ in tries",
    }


def test_task_that_was_refused_in_the_play_owes_nothing() -> None:
    references = [played(*orders(at=at)) for at in (1.76e9, 1.77e9)]
    found = compared(*references, played(*orders(at=1.78e9)[1:], accepted=TASKS[1:]))
    assert said(found) == {f"{ORDERS}/{TASKS[0]}": "not_accepted: its task was not accepted in this play"}


def test_names_that_cloudformation_makes_are_the_same_place() -> None:
    names = ("shop-Table-84a0202e", "shop-Table-1b2c3d4e", "shop-Table-99aabb00")
    plays = [played(*orders(at=1.7e9 + n), place=f"dynamodb {name}") for n, name in enumerate(names)]
    found = compared(*plays)
    assert said(found) == {}
    assert found.places == ("dynamodb shop-Table",)


@pytest.mark.parametrize("text", ["seen", "detail.seen", "dynamodb orders detail.seen", "dynamodb ord seen"])
def test_declared_attribute_is_not_compared(text: str) -> None:
    first, second, play = (played(item("a", id=TASKS[0], detail={"seen": word})) for word in ("x", "x", "y"))
    assert said(compared(first, second, play)) != {}
    assert said(compared(first, second, play, volatile=[text])) == {}
    assert said(compared(first, second, play, volatile=[f"s3 {text}"])) != {}


contents = st.dictionaries(
    st.sampled_from(TASKS),
    st.fixed_dictionaries({"status": st.sampled_from(["new", "done", "failed"]), "n": st.integers(0, 9)}),
)


def _play(rows: Mapping[str, Mapping[str, object]], at: float) -> Played:
    return played(*(item(task, **values, updatedAt=at) for task, values in rows.items()))


@given(wanted=contents, found=contents)
def test_differences_are_exactly_those_that_were_planted(
    wanted: Mapping[str, Mapping[str, object]], found: Mapping[str, Mapping[str, object]]
) -> None:
    """References that agree: each item of the play is same, changed, missing or more, by its content alone."""
    result = compared(_play(wanted, 1.76e9), _play(wanted, 1.77e9), _play(found, 1.78e9))
    by_kind = {kind: {one.name.rpartition("/")[2] for one in result.of(kind)} for kind in Kind}

    assert by_kind[Kind.MISSING] == wanted.keys() - found.keys()
    assert by_kind[Kind.MORE] == found.keys() - wanted.keys()
    both = wanted.keys() & found.keys()
    assert by_kind[Kind.SAME] == {task for task in both if wanted[task] == found[task]}
    assert by_kind[Kind.CHANGED] == {task for task in both if wanted[task] != found[task]}
    assert not by_kind[Kind.UNSETTLED]


@given(one=contents, other=contents, found=contents)
def test_no_item_goes_unmentioned(
    one: Mapping[str, Mapping[str, object]],
    other: Mapping[str, Mapping[str, object]],
    found: Mapping[str, Mapping[str, object]],
) -> None:
    """Whatever the plays left, every task in any of them has exactly one answer."""
    result = compared(_play(one, 1.76e9), _play(other, 1.77e9), _play(found, 1.78e9))
    named = [one.name.rpartition("/")[2] for one in result.findings]
    assert sorted(named) == sorted(one.keys() | other.keys() | found.keys())
