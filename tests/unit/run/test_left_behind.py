"""What says that a task is done is looked for before the load."""

from typing import Any, cast

import pytest

from dlqlab.contracts.done import Done
from dlqlab.contracts.project import Project
from dlqlab.contracts.topology import Queue, Topology
from dlqlab.deploy.target import Target
from dlqlab.errors import UsageError
from dlqlab.run.left_behind import check_done

QUEUES = ("shop-orders", "shop-shipped", "shop-orders-dead")


class Tables:
    """DynamoDB with two tables."""

    def get_paginator(self, _operation: str) -> "Tables":
        return self

    def paginate(self) -> list[dict[str, list[str]]]:
        return [{"TableNames": ["shop-Orders-1", "shop-Bills-2"]}]


class Pipeline:
    """A target with three queues and two tables."""

    topology = Topology(name="shop", queues=tuple(Queue(role=name, name=name) for name in QUEUES))

    def client(self, _service: str) -> Any:
        return Tables()


def checked(done: Done) -> None:
    check_done(cast(Target, Pipeline()), Project(name="shop", done=done))


@pytest.mark.parametrize("done", [Done(), Done(table="Bills"), Done(queue="shipped"), Done(queue="shop-orders")])
def test_what_is_there_is_taken(done: Done) -> None:
    checked(done)


@pytest.mark.parametrize(
    ("done", "message"),
    [
        (
            Done(table="Refunds"),
            r"done\.table is 'Refunds': 0 tables are called so; there are shop-Orders-1, shop-Bills-2",
        ),
        (Done(table="shop"), r"done\.table is 'shop': 2 tables are called so"),
        (
            Done(queue="refunds"),
            r"done\.queue is 'refunds': no queue, or several, are called so; there are shop-orders",
        ),
        (Done(queue="orders"), r"done\.queue is 'orders': no queue, or several"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(done: Done, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked(done)
