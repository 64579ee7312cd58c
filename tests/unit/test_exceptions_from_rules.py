"""Exceptions from the linter's rules: each one has its reason, in one notation."""

import re
from collections.abc import Iterator
from pathlib import Path

from dlqlab import paths

EVERYWHERE = ("app/app.py", "app/chalicelib", "benchmarks", "dlqlab", "examples", "loadtest", "taskrules", "tests")
_EXCEPTION = re.compile(r"#\s*(?:ruff: )?noqa\b(?P<rest>.*)$")
_WITH_REASON = re.compile(r": [A-Z]+\d+(?:, [A-Z]+\d+)*  \(.+\)")


def exceptions(place: Path) -> Iterator[tuple[str, str]]:
    """Place of each ``noqa`` in a comment, and what stands after it."""
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = _EXCEPTION.search(line)
            if found:
                yield f"{path.relative_to(paths.ROOT)}:{number}: {found[0]}", found["rest"]


def test_each_exception_has_its_reason_in_parentheses_after_the_code() -> None:
    """``# noqa: CODE  (reason)``: nobody has to guess why, and none is without a code, which would silence all."""
    written = {name: list(exceptions(paths.ROOT / name)) for name in EVERYWHERE}

    assert sum(map(len, written.values()))
    assert [] == [place for found in written.values() for place, rest in found if not _WITH_REASON.fullmatch(rest)]
