"""The lock holds what pyproject.toml asks for, and nothing that ties it to one place."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.txt").read_text()
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==(\S+)", re.MULTILINE)
LOCKED = {canonicalize_name(match[1]): match[2] for match in PINNED.finditer(LOCK)}
DECLARED = [Requirement(line) for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"])]


@pytest.mark.parametrize("requirement", DECLARED, ids=lambda requirement: requirement.name)
def test_declared_dependency_is_locked_within_its_bounds(requirement: Requirement) -> None:
    """Every dependency is in the lock, in a version that its declaration allows."""
    locked = LOCKED.get(canonicalize_name(requirement.name))

    assert locked is not None, f"{requirement.name} is not locked: make lock"
    assert requirement.specifier.contains(locked), f"{requirement.name} {locked} breaks {requirement}: make lock"


def test_lock_says_which_direct_dependency_needs_each_package() -> None:
    """What the lock attributes to the project itself is exactly what the project declares."""
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)
    direct = {
        canonicalize_name(re.split(r"[\[=]", entry)[0])
        for entry in entries
        if re.search(r"#.*\bdlqlab \(pyproject\.toml\)|#\s+dlqlab \(pyproject\.toml\)", entry)
    }

    assert {canonicalize_name(requirement.name) for requirement in DECLARED} == direct


def test_every_locked_package_has_hashes() -> None:
    """Nothing is installed that was not seen when the lock was made."""
    entries = [entry for entry in re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE) if entry.strip()]

    assert [] == [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]


def test_lock_names_no_registry() -> None:
    """The lock works with whatever index the user has."""
    assert [] == re.findall(r"https?://\S+|--(?:extra-)?index-url.*|--find-links.*", LOCK)


def test_version_of_localstack_stands_in_declaration_lock_and_pins_only() -> None:
    """Another one is a change of these three. The vendor's own image is another program, with a pin of its own."""
    version = LOCKED[canonicalize_name("localstack-core")]
    files = {"pyproject.toml", "requirements.txt", "dlqlab/emulator/pins.toml"}
    vendors = {"docker-compose.official.yml", "docs/compose.md", "tests/compose/test_compose_files.py"}
    past = {"CHANGELOG.md"}
    kinds = ("*.py", "*.md", "*.toml", "*.yml", "*.txt", "*.ipynb")
    folders = ("app", "benchmarks", "dlqlab", "docs", "examples", "loadtest", "notebooks", "scenarios", "tests")
    paths = [path for kind in kinds for folder in folders for path in (ROOT / folder).rglob(kind)]
    paths += [path for kind in kinds for path in ROOT.glob(kind)]
    named = {str(path.relative_to(ROOT)) for path in paths if version in path.read_text()}

    assert files == named - vendors - past
