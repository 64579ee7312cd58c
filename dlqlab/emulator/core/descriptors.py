"""How many files and connections the emulator may have open: as many as the system lets it.

A connection of a client is one, an execution environment some seven, and the usual limit of a shell is 1,024 (Linux) or
256 (macOS).
"""

import contextlib
import resource

_WANTED = 65_536
_OF_MACOS = 10_240
"""What macOS gives at most (``OPEN_MAX``), although it calls its limit unlimited."""


def raise_limit() -> None:
    """Raise this process's limit to what it may have."""
    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (_WANTED, _OF_MACOS):
        new = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
        if limit == resource.RLIM_INFINITY or new <= limit:
            return
        with contextlib.suppress(ValueError, OSError):  # the system says otherwise than it does
            resource.setrlimit(resource.RLIMIT_NOFILE, (new, highest))
            return
