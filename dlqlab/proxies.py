"""The shell's proxies: nothing on this machine is asked for through one, which has a loopback of its own."""

from collections.abc import Mapping

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_PROXY_VARIABLES = frozenset({"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"})
_NO_PROXY = ("NO_PROXY", "no_proxy")
"""Both: curl and Go read either, Python and Node.js prefer the small one where both are set."""


def without_proxy_for_loopback(environ: Mapping[str, str]) -> dict[str, str]:
    """NO_PROXY, in both cases, with what it exempts already and the addresses of this machine."""
    given = [entry.strip() for name in _NO_PROXY for entry in environ.get(name, "").split(",")]
    entries = ",".join(dict.fromkeys(entry for entry in (*given, *LOOPBACK_HOSTS) if entry))
    return dict.fromkeys(_NO_PROXY, entries)


def proxies_in_the_way(environ: Mapping[str, str]) -> list[str]:
    """Variables that name a proxy, where nothing exempts this machine from it."""
    proxies = sorted(name for name, value in environ.items() if name.lower() in _PROXY_VARIABLES and value)
    exempt = {entry.strip() for name in _NO_PROXY for entry in environ.get(name, "").split(",")}
    return [] if exempt & {"*", "127.0.0.1"} else proxies


def without_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that talks to nobody but this machine."""
    return {name: value for name, value in environ.items() if name.lower() not in {*_PROXY_VARIABLES, "no_proxy"}}
