"""Which addresses are this machine: what may get load without anybody being asked."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(hostname: str | None) -> bool:
    """Whether the address, as it is written, is of 127.0.0.0/8, ::1 or ``localhost``; no name is looked up."""
    if hostname is None:
        return False
    if hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:  # a name: where it points to is not ours to trust
        return False


def is_loopback_url(url: str) -> bool:
    """Whether a URL's host is this machine."""
    return is_loopback(urlsplit(url).hostname)
