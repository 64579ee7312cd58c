"""The arrays of a ``State`` inside compiled code, by one address.

Compiled functions that pass on a tuple of thirty arrays take numba minutes to compile, and ones that pass on a number
take seconds. So the loop gets the address of a table with address, rows and columns of each array, and ``tasks(s)`` is
the array of that name. Whoever makes the table keeps it and the arrays alive while the loop runs.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from dlqlab.twin.engine import layout
from dlqlab.twin.engine.layout import Array, State
from dlqlab.twin.engine.rows import view

Sim = int
"""Address of the table."""


def table_of(state: State) -> Array:
    """The table of a state's arrays."""
    rows = [(one.ctypes.data, one.shape[0], one.shape[1] if one.ndim > 1 else 1) for one in state]
    return np.array(rows, dtype=np.int64).reshape(-1)


def _vector(name: str, dtype: np.dtype[Any]) -> Callable[[Sim], Array]:
    return cast(Callable[[Sim], Array], view(State._fields.index(name), dtype, has_columns=False))


def _matrix(name: str, dtype: np.dtype[Any]) -> Callable[[Sim], Array]:
    return cast(Callable[[Sim], Array], view(State._fields.index(name), dtype, has_columns=True))


_I1, _I2, _I4, _I8, _U2, _U4, _F8 = (np.dtype(name) for name in ("u1", "i2", "i4", "i8", "u2", "u4", "f8"))

clock = _vector("clock", layout.CLOCK)
rules = _vector("rules", layout.RULES)
breaker = _vector("breaker", layout.BREAKER)
queues = _vector("queues", layout.QUEUE)
tasks = _vector("tasks", layout.TASK)
messages = _vector("messages", layout.MESSAGE)
delayed = _vector("delayed", layout.HEAP)
front = _vector("front", layout.HEAP)
feed_t = _vector("feed_t", _F8)
feed_task = _vector("feed_task", _I4)
pollers = _vector("pollers", layout.POLLER)
turns = _vector("turns", layout.TOURNAMENT)
idle = _matrix("idle", _I4)
members = _matrix("members", _I4)
receipts = _matrix("receipts", _I2)
answers = _matrix("answers", _I1)
environments = _vector("environments", layout.ENVIRONMENT)
warm = _matrix("warm", _I4)
durations = _matrix("durations", _F8)
edges = _vector("edges", _F8)
ceilings = _vector("ceilings", _F8)
ids = _matrix("ids", _I1)
text = _vector("text", _I1)
words = _vector("words", _U4)
plans = _vector("plans", _U4)
waits = _matrix("waits", _U2)
series = _matrix("series", _I8)
log = _vector("log", layout.LOG)
invocations = _vector("invocations", layout.INVOCATION)
