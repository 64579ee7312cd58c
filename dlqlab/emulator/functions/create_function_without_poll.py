"""CreateFunction answers as soon as the function is ready instead of at the next half second.

LocalStack, told to create functions synchronously, looks every 0.5 s whether a function is ready, so that a deployment
of four functions waits two to four seconds for nothing.
"""

import functools

from localstack.services.lambda_ import provider
from localstack.utils.sync import poll_condition

INTERVAL_S = 0.01


def patch() -> None:
    provider.poll_condition = functools.partial(poll_condition, interval=INTERVAL_S)
