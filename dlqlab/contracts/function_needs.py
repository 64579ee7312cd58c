"""What functions need from outside of the emulator, as the project file says it: layers, and addresses. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from dlqlab.contracts.plain import ShapeError
from taskrules.bounds import setting

NPM = "npm:"
ANY_PORT = "*"
_ARN_PATTERN = re.compile(r"arn:[a-z*-]+:lambda:[a-z0-9*-]+:[0-9*]+:layer:[A-Za-z0-9_*-]+(:[0-9*]+)?")
_FOLDER = re.compile(r"(\.{1,2}|~)?/")
_HOST = re.compile(r"(?:[A-Za-z0-9*_.-]+|\[[0-9A-Fa-f:]+\])")
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What functions may reach besides this machine."""

    allow: tuple[str, ...] = setting((), "`HOST:PORT`, `*` for any; `*.example.com:443` is every name below")

    def __post_init__(self) -> None:
        for number, one in enumerate(self.allow):
            if problem := endpoint_problem(one):
                raise ShapeError(f"network.allow[{number}]", problem)


def check_layers(layers: Mapping[str, str]) -> None:
    """Hold layers to what they may be: ARNs, perhaps with ``*``, and their sources.

    Raises:
        ShapeError: names the layer, what is wrong with it and the remedy.
    """
    for arn, source in layers.items():
        where = f'layers."{arn}"'
        if not _ARN_PATTERN.fullmatch(arn):
            raise ShapeError(where, 'is no ARN of a layer: give "arn:aws:lambda:*:ACCOUNT:layer:NAME:*"')
        if problem := source_problem(source):
            raise ShapeError(where, problem)


def endpoint_problem(text: str) -> str | None:
    """What is wrong with a ``HOST:PORT`` that functions may reach, as a clause; None where nothing is."""
    host, colon, port = text.rpartition(":")
    is_port = port == ANY_PORT or (port.isdecimal() and 1 <= int(port) <= _PORT_MAX)
    if colon and is_port and _HOST.fullmatch(host):
        return None
    return f'is {text!r}: give "HOST:PORT", such as "api.example.com:443", * for any port'


def is_path(source: str) -> bool:
    """Whether a layer's source is a folder or zip file."""
    return bool(_FOLDER.match(source)) or source.endswith(".zip")


def source_problem(source: str) -> str | None:
    """What is wrong with a layer's source, as a clause; None where nothing is."""
    remedy = (
        'give a requirement of PyPI ("requests==2.32.5"), "npm:NAME", or a path that begins with ./ or ends in .zip'
    )
    if not source.removeprefix(NPM).strip():
        return f"is {source!r}: {remedy}"
    if is_path(source) or source.startswith(NPM):
        return None
    try:
        for one in source.split():
            Requirement(one)
    except InvalidRequirement:
        return f"is {source!r}: {remedy}; no blanks within one"
    return None
