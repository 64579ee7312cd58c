"""Where things lie in a checkout and in an installed dlqlab, and paths as they are printed."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from dlqlab import paths

MARKS = (
    "app/.chalice/config.json",
    "loadtest/locustfile.py",
    "notebooks/run_report.ipynb",
    "scenarios/default.toml",
)


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell of whoever runs the tests names no project."""
    monkeypatch.delenv(paths.HOME, raising=False)


def lay(root: Path, *files: str) -> Path:
    """Empty files under a folder."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def loaded(package: Path) -> ModuleType:
    """The module as it is where the package lies in this folder."""
    package.mkdir(parents=True, exist_ok=True)
    file = shutil.copy(paths.__file__, package)
    spec = importlib.util.spec_from_file_location("paths_elsewhere", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed(tmp_path: Path) -> ModuleType:
    """The module of an installed package."""
    package = tmp_path / "site-packages" / "dlqlab"
    lay(package / "bundled", *MARKS)
    return loaded(package)


def test_checkout_is_the_project_wherever_one_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runs, state and specimen lie in the checkout, whose app is deployed where it lies."""
    monkeypatch.chdir(lay(tmp_path / "checkout", "docs/x.md", *MARKS) / "docs")
    found = loaded(tmp_path / "checkout" / "dlqlab")

    assert not found.INSTALLED
    assert {tmp_path / "checkout"} == {found.ROOT, found.SPECIMEN, found.RUNS.parent, found.STATE.parent}
    assert not found.is_read_only(found.APP)


def test_installed_package_works_in_the_current_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runs and state go where the user stands; the specimen is the package's, where nobody writes."""
    monkeypatch.chdir(lay(tmp_path / "mine", "app/app.py", "scenarios/default.toml"))
    found = installed(tmp_path)

    assert found.INSTALLED
    assert [tmp_path / "mine" / "runs", tmp_path / "mine" / ".dlqlab"] == [found.RUNS, found.STATE]
    assert found.APP == tmp_path / "site-packages" / "dlqlab" / "bundled" / "app"
    assert found.is_read_only(found.APP)
    assert not found.is_read_only(found.RUNS)


def test_whole_copy_of_the_specimen_comes_before_the_installed_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where dlqlab is run in a copy, that one's app is deployed, in place."""
    monkeypatch.chdir(lay(tmp_path / "copy", *MARKS))
    found = installed(tmp_path)

    assert [tmp_path / "copy" / "app", tmp_path / "copy" / "notebooks"] == [found.APP, found.NOTEBOOKS]
    assert not found.is_read_only(found.APP)


def test_variable_names_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It wins over the current directory and over the checkout, whose specimen is still used."""
    monkeypatch.setenv(paths.HOME, str(tmp_path / "named"))
    lay(tmp_path / "checkout", *MARKS)
    in_checkout, elsewhere = loaded(tmp_path / "checkout" / "dlqlab"), installed(tmp_path)

    assert {tmp_path / "named"} == {in_checkout.ROOT, elsewhere.ROOT}
    assert tmp_path / "checkout" / "app" == in_checkout.APP


@pytest.mark.parametrize(
    ("here", "path", "expected"),
    [
        ("checkout", "checkout/runs/r/report.html", "runs/r/report.html"),
        ("checkout/docs", "checkout/runs/r", "../runs/r"),
        ("checkout/runs/r", "checkout/runs/r/report.html", "report.html"),
        (".", "checkout/runs/r", "checkout/runs/r"),
        ("elsewhere", "elsewhere/runs/r", "runs/r"),
        ("elsewhere", "checkout/runs/r", None),
        ("checkout", "elsewhere/runs/r", None),
    ],
)
def test_path_is_relative_to_where_the_user_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, here: str, path: str, expected: str | None
) -> None:
    """Inside of the project, and below any folder; whole where a way up and down again would be no help."""
    for folder in ("checkout/docs", "checkout/runs/r", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "checkout")
    monkeypatch.chdir(tmp_path / here)

    assert (expected or str(tmp_path / path)) == paths.shown(tmp_path / path)


def test_folder_that_is_gone_gives_whole_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever stands in a folder that was removed meanwhile still reads where the report is."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert str(tmp_path / "report.html") == paths.shown(tmp_path / "report.html")
