"""The order of the packages: who may import whom, lazily or by a name in a string as well."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dlqlab import paths
from tests.support.layers import UNKNOWN, arrows, parts

PACKAGE = Path(paths.__file__).parent
MAY_IMPORT: Mapping[str, str] = {
    "paths": "",
    "dlqlab": "",
    "durations": "",
    "errors": "",
    "exits": "",
    "progress": "",
    "pollers": "",
    "proxies": "",
    "sessions": "",
    "waiting": "",
    "wording": "",
    "insights": "",
    "fidelity": "pollers waiting",
    "contracts": "dlqlab errors paths",
    "lineage": "contracts",
    "traces": "contracts",
    "bundle": "errors paths",
    "specimens": "contracts paths",
    "emulator": "contracts errors exits insights lineage paths pollers proxies traces waiting",
    "templates": "contracts errors",
    "check": "emulator templates",
    "deploy": "contracts emulator errors paths proxies sessions templates waiting",
    "openapi": "deploy errors",
    "doctor": "deploy emulator paths proxies",
    "load": "contracts errors exits lineage paths sessions",
    "collect": "contracts errors lineage load waiting",
    "dlq": "collect contracts deploy errors",
    "analysis": "contracts durations errors pollers wording",
    "export": "contracts dlqlab errors traces",
    "lint": "contracts errors templates",
    "costs": "errors",
    "twin": "analysis contracts costs emulator errors load paths pollers specimens wording",
    "tune": "analysis contracts costs durations errors lint specimens twin wording",
    "charts": "analysis durations errors tune twin wording",
    "run": "collect contracts deploy emulator errors exits fidelity insights load paths pollers progress waiting "
    "wording",
    "report": "analysis contracts durations errors paths progress run wording",
    "torture": "analysis contracts deploy emulator errors lint load paths report run twin wording",
    "cli": "analysis bundle check contracts costs deploy dlq dlqlab doctor emulator errors export fidelity lint "
    "openapi paths progress proxies report run specimens templates torture tune twin wording",
    "reference": "cli contracts costs emulator load paths",
}
"""Every part of dlqlab once, from the bottom up, and what it may import: only what stands above it in this table.

``dlqlab`` is the version. docs/architecture.md shows the packages' rows.
"""


HOUSE = {"house": "", "cellar": "", "attic": "cellar"}


def breaches(root: Path, may_import: Mapping[str, str]) -> list[str]:
    """Parts that the table lacks, rows that point down, and imports that no row allows."""
    order = list(may_import)
    allowed = {part: row.split() for part, row in may_import.items()}
    missing = sorted(parts(root) - set(order))
    gone = sorted(set(order) - parts(root))
    downward = [
        f"{part} stands before {target}, which it may import"
        for part, targets in allowed.items()
        for target in targets
        if target not in order[: order.index(part)]
    ]
    return [
        *(f"{part} is not in the table" for part in missing),
        *(f"{part} is in the table and not there" for part in gone),
        *downward,
        *(
            f"{arrow.where}: {arrow.source} imports {arrow.target}"
            for arrow in arrows(root)
            if arrow.target not in allowed.get(arrow.source, [])
        ),
    ]


def test_imports_keep_to_the_order_of_the_packages() -> None:
    """No part imports what the table does not give it, and the table has no circle: each row looks up only."""
    assert [] == breaches(PACKAGE, MAY_IMPORT)


def test_every_row_is_needed() -> None:
    """What a row allows is imported somewhere: the table shows the house as it is."""
    used = {(arrow.source, arrow.target) for arrow in arrows(PACKAGE)}

    assert [] == [
        f"{part} does not import {target}"
        for part, row in MAY_IMPORT.items()
        for target in row.split()
        if (part, target) not in used
    ]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("from house.attic import beam", "attic"),
        ("import house.attic.beam", "attic"),
        ("from house import attic", "attic"),
        ("from ..attic import beam", "attic"),
        ("def climb():\n    from house.attic import beam", "attic"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.attic import Beam", "attic"),
        ("LATE = ('house.attic.beam',)", "attic"),
        ("ENTRY = 'house.attic.beam:main'", "attic"),
        ("def late(name): return f'house.attic.{name}'", "attic"),
        ("def late(name): return f'house.{name}'", UNKNOWN),
    ],
    ids=["from", "import", "root", "relative", "lazy", "for types", "string", "entry point", "put together", "unknown"],
)
def test_import_that_goes_up_is_found(tmp_path: Path, text: str, target: str) -> None:
    """However it is written: planted in a house of two floors whose cellar may import nothing."""
    house = _house(tmp_path, cellar=text)
    line = 1 + next(n for n, one in enumerate(text.splitlines()) if re.search(r"attic|house\.\{", one))

    assert [f"house/cellar/door.py:{line}: cellar imports {target}"] == breaches(house, HOUSE)


def test_table_itself_is_held(tmp_path: Path) -> None:
    """A part without a row, a row without a part, and a row that looks down."""
    house = _house(tmp_path, cellar="")

    assert ["attic is not in the table"] == breaches(house, {"house": "", "cellar": ""})[:1]
    assert ["roof is in the table and not there"] == breaches(house, {**HOUSE, "roof": ""})
    assert ["attic stands before cellar, which it may import"] == breaches(
        house, {"house": "", "attic": "cellar", "cellar": ""}
    )


def test_architecture_shows_the_table() -> None:
    """The page's rows are those of the packages here, in this order."""
    page = (paths.DOCS / "architecture.md").read_text()
    shown = re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", page.partition("## The order of the packages")[2], re.MULTILINE)

    assert [(part, _row(MAY_IMPORT[part])) for part in _packages(PACKAGE)] == shown


def _packages(root: Path) -> Sequence[str]:
    return [part for part in MAY_IMPORT if (root / part / "__init__.py").exists()]


def _row(row: str) -> str:
    packages = [part for part in row.split() if (PACKAGE / part / "__init__.py").exists()]
    return ", ".join(f"`{part}`" for part in packages) or "none"


def _house(folder: Path, *, cellar: str) -> Path:
    house = folder / "house"
    for part, text in (("cellar", cellar), ("attic", "from house.cellar import door")):
        (house / part).mkdir(parents=True)
        (house / part / "__init__.py").touch()
        (house / part / "door.py").write_text(text)
    return house
