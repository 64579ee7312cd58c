"""Exceptions from the linter's rules: how their reasons are written, and where each must have one."""

import re
from collections.abc import Iterator
from pathlib import Path

from dlqlab import paths

EVERYWHERE = ("app", "benchmarks", "dlqlab", "loadtest", "scripts", "tests")
REASONED = ("cli", "contracts", "costs", "report", "run", "tune", "twin")
"""Packages in which each exception has its reason; so have the modules beside them."""
_EXCEPTION = re.compile(r"#\s*(?:ruff: )?noqa\b(?P<rest>.*)$")
_CODES = r": [A-Z]+\d+(?:, [A-Z]+\d+)*"
_WITH_REASON = re.compile(rf"{_CODES}  \(.+\)")
_PLAIN = re.compile(rf"{_CODES}")


def exceptions(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """File, place, and what stands after each ``noqa`` in a comment."""
    for path in sorted(folder.rglob("*.py")):
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = _EXCEPTION.search(line)
            if found:
                yield path, f"{path.relative_to(paths.ROOT)}:{number}: {found[0]}", found["rest"]


def test_a_reason_stands_in_parentheses_after_the_code() -> None:
    """``# noqa: CODE  (reason)``; never without a code, which would silence everything."""
    written = [found for name in EVERYWHERE for found in exceptions(paths.ROOT / name)]

    assert written
    assert [] == [place for _, place, rest in written if not (_WITH_REASON.fullmatch(rest) or _PLAIN.fullmatch(rest))]


def test_exceptions_have_reasons() -> None:
    """In these packages nobody has to guess why."""
    root = paths.ROOT / "dlqlab"
    mine = [(place, rest) for path, place, rest in exceptions(root) if _is_reasoned(path.relative_to(root))]

    assert mine
    assert [] == [place for place, rest in mine if not _WITH_REASON.fullmatch(rest)]


def _is_reasoned(path: Path) -> bool:
    return len(path.parts) == 1 or path.parts[0] in REASONED
