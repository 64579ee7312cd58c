"""Functions that the emulator does not run, or runs otherwise than declared."""

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dlqlab.check.finding import Finding, Weight
from dlqlab.emulator.functions.compiled_checks import WHEEL, Target, misfit
from dlqlab.emulator.functions.layer_sources import source_of, unknown
from dlqlab.emulator.runtime import installing
from dlqlab.emulator.runtime.interpreters import candidates, declared, own
from dlqlab.emulator.runtime.node import find as nodes
from dlqlab.emulator.runtime.serving import SERVED
from dlqlab.templates.intrinsics import PSEUDO
from dlqlab.templates.resources import FUNCTIONS, Resource, Template

_PROVIDED: Final = frozenset({"provided.al2", "provided.al2023"})
_ARM: Final = frozenset({"arm64", "aarch64"})
_LAYER: Final = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:(?P<account>\d{12}):layer:[\w-]+:\d+")
_SKIPPED: Final = frozenset(
    {"node_modules", ".git", ".venv", "venv", "__pycache__", ".aws-sam", ".serverless", "cdk.out"}
)
_IGNORED: Final[Mapping[str, tuple[str, str]]] = {
    "VpcConfig": (
        "functions are processes of this machine, in no VPC",
        "Say in dlqlab.toml what they may reach: [network] allow",
    ),
    "FileSystemConfigs": ("no file system is mounted", "Give the function its files in its bundle or in a layer"),
    "SnapStart": ("no snapshot is taken: each environment runs its init", "Expect cold starts in full"),
    "CodeSigningConfigArn": ("signatures are not checked", "Check them where you deploy to an account"),
}
"""Properties that are taken and have no effect, with why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What functions will find.

    ``pythons`` and ``nodes`` are versions that are here; ``fetches`` says whether uv is here to bring a Python.
    """

    target: Target
    pythons: frozenset[str]
    nodes: frozenset[int]
    fetches: bool


def this_machine(template: Template, target: Target) -> Machine:
    """The versions that are here of those that the template declares. Nothing is fetched."""
    runtimes = {value for one in template.of(*FUNCTIONS) if isinstance(value := one.at("Runtime"), str)}
    wanted = {version for one in runtimes if (version := declared(one))}
    majors = {major for one in runtimes if (major := nodes.declared(one))}
    return Machine(
        target=target,
        pythons=frozenset(one for one in wanted if one == own().version or any(candidates(one, os.environ))),
        nodes=frozenset(one for one in majors if nodes.find(one)),
        fetches=installing.uv() is not None,
    )


def of_functions(template: Template, machine: Machine, layers: Mapping[str, str]) -> Iterator[Finding]:
    """Findings about runtimes, architectures, layers, compiled modules and properties.

    Args:
        layers: of the project file, what stands in for a layer of another account.
    """
    for one in template.of(*FUNCTIONS):
        yield from _runtime(one, machine)
        yield from _architecture(one, machine.target.machine)
        yield from _layers(one, layers)
        yield from _compiled(one, machine)
        for name, (why, remedy) in _IGNORED.items():
            if one.at(name):
                yield _finding("property-ignored", Weight.DIFFERS, one, name, why, remedy)


def _runtime(one: Resource, machine: Machine) -> Iterator[Finding]:
    if one.at("PackageType") == "Image":
        why, remedy = "container images are not run here", f"Give a zip file and a runtime: {SERVED}"
        yield _finding("image", Weight.REFUSED, one, "PackageType Image", why, remedy)
        return
    runtime = one.at("Runtime")
    if not isinstance(runtime, str) or runtime in _PROVIDED:
        return
    what, python, node = f"Runtime {runtime}", declared(runtime), nodes.declared(runtime)
    if python is None and node not in nodes.VERSIONS:
        is_node = runtime.startswith("nodejs")
        why = "AWS creates no functions of it" if is_node else "functions of other languages do not run here"
        yield _finding("runtime", Weight.REFUSED, one, what, why, f"Give one of {SERVED}")
    elif python is not None and python not in machine.pythons:
        yield _other_python(one, what, python, machine)
    elif node is not None and node not in machine.nodes:
        why = f"this machine has no Node.js {node}: it is fetched when the function is deployed"
        yield _finding("runtime-fetched", Weight.DIFFERS, one, what, why, f"Install Node.js {node} to work offline")


def _other_python(one: Resource, what: str, version: str, machine: Machine) -> Finding:
    if machine.fetches:
        why = f"this machine has no Python {version}: uv fetches it when the function is deployed"
        remedy = f"Run uv python install {version} beforehand to work offline"
        return _finding("runtime-fetched", Weight.DIFFERS, one, what, why, remedy)
    why = f"this machine has no Python {version}, and no uv to bring it: the function runs on {machine.target.version}"
    return _finding("runtime-differs", Weight.DIFFERS, one, what, why, f"Install Python {version}, or uv")


def _architecture(one: Resource, machine: str) -> Iterator[Finding]:
    given = one.at("Architectures")
    if isinstance(given, list) and "arm64" in given and machine not in _ARM:
        why = f"this machine is {machine}: what is compiled for arm64 does not run"
        remedy = f"Build here for {machine}; on AWS it stays arm64"
        yield _finding("architecture", Weight.DIFFERS, one, "Architectures arm64", why, remedy)


def _layers(one: Resource, layers: Mapping[str, str]) -> Iterator[Finding]:
    given = one.at("Layers")
    for arn in given if isinstance(given, list) else []:
        found = _LAYER.fullmatch(arn) if isinstance(arn, str) else None
        if found and found["account"] != PSEUDO["AWS::AccountId"] and source_of(arn, layers) is None:
            why, _, remedy = unknown(arn).partition(". ")
            yield _finding("layer", Weight.REFUSED, one, "Layers", why, remedy)


def _compiled(one: Resource, machine: Machine) -> Iterator[Finding]:
    version = declared(one.at("Runtime") if isinstance(one.at("Runtime"), str) else None)
    if one.code is None or version is None:
        return
    is_had = version in machine.pythons or machine.fetches
    target = Target(
        version=version if is_had else machine.target.version,
        machine=machine.target.machine,
        system=machine.target.system,
    )
    names, wheels = _bundle(one.code)
    if text := misfit(names, wheels, target):
        remedy = f"Install the bundle's requirements for {target} (pip --only-binary :all: --python-version {version})"
        yield _finding("compiled", Weight.REFUSED, one, f"Code {one.code}", f"{text}, and {target} runs it", remedy)


def _bundle(code: Path) -> tuple[list[str], dict[str, str]]:
    """The names of a bundle's files, and the texts of those that tell a wheel's tags."""
    if code.is_file():
        if not zipfile.is_zipfile(code):
            return [], {}
        with zipfile.ZipFile(code) as bundle:
            names = bundle.namelist()
            return names, {name: bundle.read(name).decode(errors="replace") for name in names if WHEEL.fullmatch(name)}
    names = []
    for folder, inner, files in os.walk(code):
        inner[:] = [name for name in inner if name not in _SKIPPED]
        names += [(Path(folder) / name).relative_to(code).as_posix() for name in files]
    return names, {name: (code / name).read_text(errors="replace") for name in names if WHEEL.fullmatch(name)}


def _finding(rule: str, weight: Weight, one: Resource, what: str, why: str, remedy: str) -> Finding:
    return Finding(rule=rule, weight=weight, resource=one, what=what, why=why, remedy=remedy)
