"""Which parts of an emulator are a project's own, where others have deployed there as well."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.topology import Alarm, Consumer, Entry, EntryKind, Function, Queue, Table, Topology
from dlqlab.deploy.own_parts import (
    Deployed,
    Parts,
    all_but_others,
    left_out,
    made_by,
    only,
    read_deployed,
    write_deployed,
)
from dlqlab.errors import DeployError

OTHERS = Parts(queues=("bills",), functions=("biller",))
OWN = Parts(queues=("orders",), functions=("worker",), alarms=("late",))


def together(*some: Parts) -> Parts:
    return Parts(**{kind: tuple(sorted({n for one in some for n in getattr(one, kind)})) for kind in KINDS})


KINDS = ("queues", "functions", "tables", "alarms")


def test_what_came_with_the_deployment_is_the_projects_own() -> None:
    assert made_by("/shop", OTHERS, together(OTHERS, OWN), Deployed()) == OWN


def test_second_deployment_changes_nothing_and_the_first_is_remembered() -> None:
    there = together(OTHERS, OWN)
    assert made_by("/shop", there, there, Deployed(projects={"/shop": OWN})) == OWN


def test_part_that_is_gone_is_not_remembered() -> None:
    there = together(OTHERS, Parts(queues=("orders",)))
    assert made_by("/shop", there, there, Deployed(projects={"/shop": OWN})) == Parts(queues=("orders",))


def test_stack_that_was_there_and_got_a_queue_is_the_projects_as_a_whole() -> None:
    before, after = together(OTHERS, OWN), together(OTHERS, OWN, Parts(queues=("dead",)))
    stacks = [{"orders", "worker", "late", "dead"}, {"bills", "biller"}]
    assert made_by("/shop", before, after, Deployed(), stacks) == together(OWN, Parts(queues=("dead",)))


def test_where_the_deployment_tells_nothing_all_but_other_projects_parts_count() -> None:
    there = together(OTHERS, OWN)
    assert made_by("/shop", there, there, Deployed()) == Parts()
    assert all_but_others("/shop", there, Deployed(projects={"/bills": OTHERS})) == OWN


names = st.frozensets(st.sampled_from("abcdef"))


@given(before=names, new=names, known=names, others=names)
def test_nothing_of_others_is_taken_and_nothing_of_ones_own_is_left(
    before: frozenset[str], new: frozenset[str], known: frozenset[str], others: frozenset[str]
) -> None:
    """Every new part and every known one that is still there is the project's, whoever else is there."""
    after = before | new
    parts = [Parts(queues=tuple(sorted(some))) for some in (before, after, known, others)]
    deployed = Deployed(projects={"/shop": parts[2], "/bills": parts[3]})
    own = set(made_by("/shop", parts[0], parts[1], deployed).queues)
    assert own == (after - before) | (known & after)


def test_topology_keeps_what_is_the_projects_own() -> None:
    topology = Topology(
        name="t",
        entries=(
            Entry(kind=EntryKind.HTTP, name="POST /orders", function="worker"),
            Entry(kind=EntryKind.TOPIC, name="bills", queue="bills"),
        ),
        queues=(
            Queue(role="orders", name="orders", dead_letters="dead"),
            Queue(role="dead", name="dead"),
            Queue(role="bills", name="bills"),
        ),
        functions=(
            Function(role="worker", name="worker", may_send_to=("bills", "orders")),
            Function(role="b", name="b"),
        ),
        consumers=(Consumer(queue="orders", function="worker"), Consumer(queue="bills", function="b")),
        alarms=(Alarm(name="late", metric="m", queue="orders"), Alarm(name="other", metric="m", queue="bills")),
        tables=(Table(role="x", name="x", key="id"),),
    )
    found = only(topology, together(OWN, Parts(queues=("dead",))))

    assert [one.name for one in found.entries] == ["POST /orders"]
    assert (list(found.queue_names), [one.name for one in found.functions]) == (["orders", "dead"], ["worker"])
    assert found.functions[0].may_send_to == ("orders",)
    assert [one.queue for one in found.consumers] == ["orders"]
    assert ([one.name for one in found.alarms], found.tables) == (["late"], ())
    assert left_out(together(OTHERS, OWN), OWN) == "queues: bills; functions: biller"


def test_kept_beside_what_others_deployed(tmp_path: Path) -> None:
    assert read_deployed(tmp_path) == Deployed()
    write_deployed(tmp_path, Deployed(projects={"/bills": OTHERS}), "/shop", OWN)
    assert read_deployed(tmp_path) == Deployed(projects={"/bills": OTHERS, "/shop": OWN})
    (tmp_path / "deployed.json").write_text("[]")
    with pytest.raises(DeployError, match=r"deployed\.json: cannot be read"):
        read_deployed(tmp_path)
