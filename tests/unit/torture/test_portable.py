"""Faults strike the same parts and tasks in every deployment of a template that gives no names."""

import pytest

from dlqlab.contracts.injection import Case, Fault, Kind, strikes
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.torture.draws import Draw
from dlqlab.torture.matrix import Row, Target, matrix
from dlqlab.torture.portable import Names, pattern, portable


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        ("shop-Bill-52ed7f01", (), "shop-Bill-*"),
        ("shop-Bill-1ABCDEFGH2JK", (), "shop-Bill-*"),
        ("shop-Orders-52ed7f01.fifo", (), "shop-Orders-*.fifo"),
        ("shop-Bill-52ed7f01", ("shop-Bill-Late-0f00aa11",), "shop-Bill-52ed7f01"),
        ("bill", (), "bill"),
        ("shop-bill", (), "shop-bill"),
        ("*", (), "*"),
    ],
)
def test_what_is_made_up_of_a_name_is_left_open_unless_it_would_be_anothers(
    name: str, others: tuple[str, ...], expected: str
) -> None:
    assert pattern(name, (name, *others)) == expected


def deployed(end: str) -> Topology:
    return Topology(
        name="shop",
        queues=(Queue(role="orders", name=f"shop-Orders-{end}"),),
        functions=(Function(role="bill", name=f"shop-Bill-{end}", timeout_s=3),),
        consumers=(Consumer(queue="orders", function="bill"),),
    )


def rows(end: str) -> dict[str, tuple[Fault, ...]]:
    target = Target(f"shop-Bill-{end}", "dynamodb:PutItem", f"shop-Bills-{end}", 9)
    return {row.name: row.faults for row in matrix(deployed(end), [target]).rows}


def test_two_deployments_of_a_template_meet_the_same_faults() -> None:
    one, other = (
        {name: faults for name, faults in rows(end).items() if not any(fault.after_queue for fault in faults)}
        for end in ("52ed7f01", "0a0b0c0d")
    )

    assert one == other
    assert {"kill", "duplicate", "call-denied"} <= set(one)


def test_the_twin_is_asked_about_the_part_of_a_name_that_stays() -> None:
    play = Draw(Row("play", "", (Fault(kind=Kind.ERROR, function="shop-Bill-*", rate=0.5),)), 1, 1.0)

    assert play.failing() == {"shop-Bill-": 0.5}


def test_faults_of_one_name_keep_their_own_names_and_so_their_own_draws() -> None:
    names = ("shop-Bill-52ed7f01", "shop-Bill-0a0b0c0d")
    faults = [Fault(kind=Kind.KILL, name=f"kill-{one.lower()}", function=one, rate=0.5) for one in names]

    found = portable(faults, Names(names, (), ()))

    assert [one.function for one in found] == list(names)
    cases = [Case(key=f"t-1-{n:08d}") for n in range(50)]
    assert [strikes(found[0], one, 1) for one in cases] != [strikes(found[1], one, 1) for one in cases]
