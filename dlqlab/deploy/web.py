"""Plain HTTP to a target: to this machine directly, whatever proxy the shell names."""

import urllib.request
from typing import Any

from dlqlab.contracts.hosts import is_loopback_url

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def open_url(request: urllib.request.Request, *, timeout_s: float) -> Any:
    """As ``urllib.request.urlopen``; a loopback address is never asked for by a proxy, which has a loopback of its own.

    Raises:
        OSError: no answer, or (HTTPError) one of 400 or more.
    """
    opened = _DIRECT.open if is_loopback_url(request.full_url) else urllib.request.urlopen
    return opened(request, timeout=timeout_s)
