"""The rules that the functions and the lab share: a package that both import and that imports neither."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RULES, VENDORED = ROOT / "taskrules", ROOT / "app" / "vendor" / "taskrules"
SDK = {"boto3", "botocore"}


def imported(source: str) -> Iterator[str]:
    """The top-level names of everything that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def offenders(folders: list[str], forbidden: set[str]) -> dict[str, set[str]]:
    """Files below these folders with what they import of it; a text without its name is not parsed."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    assert files

    suspects = {file: text for file in files if any(name in (text := file.read_text()) for name in forbidden)}
    found = {str(file.relative_to(ROOT)): set(imported(text)) & forbidden for file, text in suspects.items()}
    return {name: imports for name, imports in found.items() if imports}


@pytest.mark.parametrize(
    ("folders", "forbidden"),
    [
        (["dlqlab", "loadtest", "benchmarks"], {"chalicelib"}),
        (["taskrules"], {"dlqlab", "chalicelib"} | SDK),
        (["app/chalicelib"], {"dlqlab"}),
    ],
    ids=["the lab imports nothing of the app", "the rules import neither, and no SDK", "the app imports no lab"],
)
def test_lab_and_app_meet_in_the_rules_only(folders: list[str], forbidden: set[str]) -> None:
    """Nothing of the lab needs the app's own package, and nothing of the app needs the lab."""
    assert {} == offenders(folders, forbidden)


def test_functions_are_given_every_file_of_the_rules() -> None:
    """Chalice bundles what lies in vendor: a link to each file of the rules there, and nothing else (no caches)."""
    links = {path.name: path for path in VENDORED.iterdir()}

    assert {file.name for file in RULES.glob("*.py")} == links.keys()
    assert {name: RULES / name for name in links} == {name: path.resolve() for name, path in links.items()}
    assert all(not path.readlink().is_absolute() for path in links.values())
