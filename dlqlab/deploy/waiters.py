"""botocore's waiters in a program of somebody else's, which cannot tell them how often to look."""

import math
from typing import Any

from botocore.waiter import SingleWaiterConfig

LOOK_S = 0.2


def look_often() -> None:
    """Make every waiter of this process look each ``LOOK_S``, for as long as it would have waited otherwise.

    Lambda's ``function_updated`` looks every 5 s ("FunctionUpdated" in botocore's model), the first time while the
    update still goes on: Chalice, which updates a function twice, would take 40 s over four functions.
    """
    original = SingleWaiterConfig.__init__

    def begin(self: SingleWaiterConfig, settings: Any) -> None:
        original(self, settings)
        self.max_attempts = math.ceil(self.max_attempts * self.delay / LOOK_S)
        self.delay = LOOK_S  # type: ignore[assignment]  # time.sleep takes parts of seconds

    SingleWaiterConfig.__init__ = begin  # type: ignore[assignment, method-assign]  # its parameter goes by place
