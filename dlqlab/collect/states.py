"""The state of each task, where its owner says where it stands: in a table, or in the answer to an HTTP request."""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from dlqlab.collect.end_state import table_items
from dlqlab.contracts.done import Done
from dlqlab.contracts.end_state import Item, values_of
from dlqlab.contracts.states import States
from dlqlab.errors import EvidenceError, UsageError

PROBES_AT_ONCE = 8
TIMEOUT_S = 10.0
SETTLE_S = 10.0
"""So long without a change, once the queues are empty, and the tasks are taken to stay as they are."""
_JOINTS = re.compile(r"[#|:/]")

type Look = Callable[[Collection[str]], Mapping[str, str]]
"""The states of tasks, by key; one without a state is left out."""


def in_table(dynamodb: Any, done: Done) -> Look:
    """Looks into the table; its name may be a part of it.

    Raises:
        UsageError: there is no such table, or there are several.
    """
    names = [name for page in dynamodb.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    found = [done.table] if done.table in names else [name for name in names if done.table in name]
    if len(found) != 1:
        known = ", ".join(found or names) or "none"
        raise UsageError(f"done.table is {done.table!r}: {len(found)} tables are called so; there are {known}")
    return lambda keys: states_of(table_items(dynamodb, found[0]), done, keys)


def states_of(items: Iterable[Item], done: Done, keys: Collection[str]) -> Mapping[str, str]:
    """The states that items hold; of several items of a task, one that says that it has ended."""
    wanted, states = frozenset(keys), dict[str, str]()
    for item in items:
        if done.status not in item.values:
            continue
        state = plain(item.values[done.status])
        for key in _keys(item, done) & wanted:
            if states.get(key) not in done.values:
                states[key] = state
    return states


def over_http(base: str, headers: Mapping[str, str], done: Done) -> Look:
    """Asks the route for each task."""
    method, path = done.http.split()

    def state(key: str) -> str | None:
        url = base.rstrip("/") + path.replace("{{key}}", quote(key, safe=""))
        request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310  (the load went to it)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  (as above)
                content = json.loads(answer.read())
        except urllib.error.HTTPError:
            return None  # it knows nothing of the task
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EvidenceError(f"done.http: {method} {url}: {error}") from error
        found = dict(values_of(content))
        return plain(found[done.status]) if done.status in found else None

    def look(keys: Collection[str]) -> Mapping[str, str]:
        with ThreadPoolExecutor(PROBES_AT_ONCE) as pool:
            pairs = zip(keys, pool.map(state, keys), strict=True)
            return {key: found for key, found in pairs if found is not None}

    return look


def settled(
    look: Look,
    keys: Collection[str],
    done: Done,
    deadline_s: float,
    *,
    settle_s: float = SETTLE_S,
    interval_s: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> States:
    """The states once all tasks have ended, or nothing has changed for ``settle_s``, or at the deadline."""
    began_s = changed_s = clock()
    states: Mapping[str, str] = {}
    while True:
        try:
            found = look(keys)
        except EvidenceError as error:
            return States(states=states, unread=str(error))
        now_s = clock()
        if found != states:
            states, changed_s = found, now_s
        if all(states.get(key) in done.values for key in keys):
            return States(states=states)
        if now_s - changed_s >= settle_s or now_s - began_s >= deadline_s:
            return States(states=states)
        sleep(interval_s)


def plain(value: str) -> str:
    """A value as ``done.values`` gives it: a text without its quotes."""
    found = json.loads(value)
    return found if isinstance(found, str) else value


def _keys(item: Item, done: Done) -> frozenset[str]:
    if done.key:
        return frozenset({plain(item.values[done.key])}) if done.key in item.values else frozenset()
    return frozenset({item.key, *_JOINTS.split(item.key)})
