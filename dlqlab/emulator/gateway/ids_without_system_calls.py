"""Random ids cost no system call: they are drawn from a generator that the system's randomness seeds once.

LocalStack draws some fifteen UUIDs for a task that goes through the pipeline, each by a system call around which the
interpreter's lock changes hands. They stay random UUIDs of version 4; nobody needs them to be unpredictable here.
"""

import random
import uuid

_DRAW = random.Random(random.SystemRandom().getrandbits(256)).getrandbits  # noqa: S311  (see above)


def uuid4() -> uuid.UUID:
    """A random UUID of version 4."""
    return uuid.UUID(int=_DRAW(128), version=4)


def patch() -> None:
    # They look the function up in its module at each call, as everybody must for whom this shall make a difference.
    uuid.uuid4 = uuid4
