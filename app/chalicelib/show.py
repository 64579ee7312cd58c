"""Showing a task."""

from chalicelib.answers import UNAVAILABLE, VALUE_CHARACTERS_MAX, Answer, FieldError, refused
from taskrules.store import StoreError, TaskStore
from taskrules.tasks import TASK_ID
from taskrules.views import task_view

FOUND, UNKNOWN = 200, 404


def show(store: TaskStore, task_id: str) -> Answer:
    """The answer to a GET: 200, 404 for a task that nobody knows, 503 with Retry-After."""
    shown = task_id[:VALUE_CHARACTERS_MAX]
    try:
        task = store.get(task_id) if TASK_ID.fullmatch(task_id) else None
    except StoreError:
        return refused(UNAVAILABLE, [FieldError("taskId", shown, "cannot be looked up now: try again")])
    if task is None:
        return refused(UNKNOWN, [FieldError("taskId", shown, "is not known")])
    return Answer(status_code=FOUND, body=task_view(task))
