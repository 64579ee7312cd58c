"""Whether what a bundle has compiled can be loaded by the Python that will run it. Pure.

Extension modules carry version and platform in their names (PEP 3149), wheels in their tags (PEP 425, "Binary
distribution format" of the Python packaging guide). A module that is there for several versions needs one that fits.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.tags import Tag, parse_tag

WHEEL = re.compile(r"[^/]+\.dist-info/WHEEL|.*/[^/]+\.dist-info/WHEEL")
"""Files that tell a wheel's tags."""
_EXTENSION = re.compile(r"(?P<module>(?:.*/)?[^/.]+)\.(?P<tag>cpython-[^/]+|cp\d[^/]*|abi3[^/]*)\.(?:so|pyd)")
_CPYTHON = re.compile(r"(?:cpython-|cp)(?P<major>\d)(?P<minor>\d+)(?P<flags>[a-z]*)(?:-(?P<platform>.*))?")
_MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
_SYSTEMS = {"linux": ("linux",), "darwin": ("darwin", "macosx")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What loads a bundle's modules."""

    version: str
    """Of Python, such as ``3.13``."""
    machine: str
    """As ``platform.machine`` tells it, in lower case."""
    system: str
    """As ``sys.platform`` tells it."""

    def __str__(self) -> str:
        return f"Python {self.version} on {self.system} {self.machine}"


def misfit(names: Iterable[str], wheels: Mapping[str, str], target: Target) -> str | None:
    """What was compiled for something else, and for what, as a clause; None where all fits.

    Args:
        names: of the bundle's files.
        wheels: the texts of those that tell a wheel's tags, by name.
        target: what shall load them.
    """
    return next((text for found in (_modules(names, target), _wheels(wheels, target)) for text in found), None)


def _modules(names: Iterable[str], target: Target) -> Iterator[str]:
    tags: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        if found := _EXTENSION.fullmatch(name):
            tags[found["module"]][found["tag"]] = name
    for built in tags.values():
        if not any(_loads(tag, target) for tag in built):
            tag, name = next(iter(built.items()))
            yield f"{name} is compiled for {_told(tag)}"


def _loads(tag: str, target: Target) -> bool:
    found = _CPYTHON.fullmatch(tag)
    if found is None:  # abi3: of any version, and no platform in its name
        return True
    return (
        f"{found['major']}.{found['minor']}" == target.version
        and "t" not in found["flags"]
        and _is_platform(found["platform"] or "", target)
    )


def _is_platform(platform: str, target: Target) -> bool:
    """Whether a platform's name, of a file or of a wheel's tag, is that of the target; one without a name is any."""
    if platform in {"", "any"}:
        return True
    if not any(name in platform for name in _SYSTEMS.get(target.system, ())):
        return False
    machines = {target.machine, _MACHINES.get(target.machine, target.machine), "universal2"}
    machines |= {other for other, name in _MACHINES.items() if name == target.machine}
    return platform == "darwin" or any(machine in platform for machine in machines)


def _told(tag: str) -> str:
    found = _CPYTHON.fullmatch(tag)
    if found is None:
        return tag
    flags = " without a lock" if "t" in found["flags"] else ""
    return f"Python {found['major']}.{found['minor']}{flags}" + (
        f" on {found['platform']}" if found["platform"] else ""
    )


def _wheels(wheels: Mapping[str, str], target: Target) -> Iterator[str]:
    for name, text in wheels.items():
        given = [line.partition(":")[2].strip() for line in text.splitlines() if line.lower().startswith("tag:")]
        tags = {tag for one in given for tag in parse_tag(one)}
        if tags and not any(_fits(tag, target) for tag in tags):
            yield f"{name} is of a wheel for {', '.join(given)}"


def _fits(tag: Tag, target: Target) -> bool:
    if not _is_platform(tag.platform, target):
        return False
    found = _CPYTHON.fullmatch(tag.interpreter)
    if found is None:
        return tag.interpreter in {"py3", f"py{target.version.replace('.', '')}"}
    built, wanted = (int(found["major"]), int(found["minor"])), tuple(map(int, target.version.split(".")))
    return built <= wanted if tag.abi == "abi3" else built == wanted and not tag.abi.endswith("t")
