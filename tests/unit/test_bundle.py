"""What dlqlab comes with, copied out."""

from pathlib import Path

import pytest

from dlqlab.bundle import copy_out
from dlqlab.errors import UsageError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small bundle, beside what is no part of it."""
    for name in (
        "app/app.py",
        "app/.chalice/config.json",
        "app/.chalice/deployed/local.json",
        "app/__pycache__/app.pyc",
        "examples/orders/topology.toml",
        "scenarios/outage.toml",
        "scenarios/default.toml",
        "loadtest/locustfile.py",
        "notebooks/run_report.ipynb",
        "docs/report.md",
        "pyproject.toml",
        "appendix/x.txt",
    ):
        (tmp_path / "bundle" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bundle" / name).write_text(name)
    return tmp_path / "bundle"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_whole_specimen_is_copied_without_what_was_made_in_it(bundle: Path, tmp_path: Path) -> None:
    """Hidden folders come along; what Chalice remembers of deployments does not."""
    copy_out(tmp_path / "copy", bundle=bundle)

    assert {
        "app/app.py",
        "app/.chalice/config.json",
        "examples/orders/topology.toml",
        "scenarios/outage.toml",
        "scenarios/default.toml",
        "loadtest/locustfile.py",
        "notebooks/run_report.ipynb",
        "docs/report.md",
    } == files(tmp_path / "copy")


def test_part_is_copied_to_its_place(bundle: Path, tmp_path: Path) -> None:
    """A file goes below the folder as it lies in the specimen, so that it is found by its name there."""
    made = copy_out(tmp_path / "mine", ["scenarios/outage.toml"], bundle=bundle)

    assert [tmp_path / "mine" / "scenarios" / "outage.toml"] == made
    assert {"scenarios/outage.toml"} == files(tmp_path / "mine")


def test_nothing_is_overwritten(bundle: Path, tmp_path: Path) -> None:
    """Where one part is there already none is copied."""
    (tmp_path / "notebooks").mkdir()
    with pytest.raises(UsageError, match="notebooks is there already: give another folder"):
        copy_out(tmp_path, ["scenarios", "notebooks"], bundle=bundle)

    assert not (tmp_path / "scenarios").exists()


@pytest.mark.parametrize("part", ["nope", "app/../../x", "pyproject.toml", ".", "/etc/hosts", "appendix"])
def test_what_is_no_part_is_refused(bundle: Path, tmp_path: Path, part: str) -> None:
    """Nothing else that may lie beside the specimen, nothing outside of it."""
    with pytest.raises(UsageError, match=r"the specimen has no .*: give app, examples, loadtest"):
        copy_out(tmp_path / "copy", [part], bundle=bundle)
