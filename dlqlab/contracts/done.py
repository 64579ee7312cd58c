"""When a task is done, as its owner says it: ``[done]`` of the project file."""

from dataclasses import dataclass

from taskrules.bounds import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """When a task is done: by a table's item, by an HTTP probe, or by a queue that it has to arrive in; one of `table`,
    `http` and `queue`. A task whose message is a dead letter has ended too.
    """

    table: str = setting("", "a DynamoDB table's name, or a part of it; each task has an item there")
    key: str = setting("", "the item's attribute that has the task's key; default: its primary key, or a part of it")
    http: str = setting("", "a route that tells of a task, such as `GET /orders/{{key}}`")
    status: str = setting("status", "where the item or the answer has the state, as `status` or `order.state`")
    values: tuple[str, ...] = setting((), "states in which a task has ended, such as `done` and `failed`")
    queue: str = setting("", "a queue's name, or a part of it, where a message with the task's key has to arrive")

    @property
    def kind(self) -> str:
        """The name of the one that is given; empty where none or several are."""
        given = [name for name in KINDS if getattr(self, name)]
        return given[0] if len(given) == 1 else ""


KINDS = ("table", "http", "queue")
