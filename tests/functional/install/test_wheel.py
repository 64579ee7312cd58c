"""What is in the wheel and in the source archive, and what is not."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest

from dlqlab import __version__, paths

BUNDLED = ("app", "examples", "loadtest", "notebooks", "scenarios", "docs")
WHEEL = f"dlqlab-{__version__}-py3-none-any.whl"
SIZE_MAX_BYTES = 2_000_000


def build(root: Path, folder: Path, *kinds: str) -> None:
    """Build without a download and without an environment of its own."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    for kind in kinds:
        subprocess.run([*command, "--target", kind], cwd=root, check=True, capture_output=True, timeout=60)


def files(root: Path) -> set[str]:
    """What git keeps of a folder, as far as its names tell."""
    made = {"__pycache__", "deployed", "deployments", "venv", ".ipynb_checkpoints"}
    found = (path.relative_to(root) for path in root.rglob("*", recurse_symlinks=True) if path.is_file())
    return {str(path) for path in found if not made & set(path.parts)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which the app was deployed and notebooks were opened."""
    root = tmp_path_factory.mktemp("checkout") / "dlqlab"
    root.mkdir()
    for path in paths.ROOT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, root)
        elif path.name in {"dlqlab", "taskrules", "scripts", "tests", *BUNDLED}:
            shutil.copytree(path, root / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (
        "app/.chalice/deployed/local.json",
        "app/.chalice/deployments/x.zip",
        "app/__pycache__/app.cpython-313.pyc",
        "notebooks/.ipynb_checkpoints/run_report-checkpoint.ipynb",
        "runs/2026-01-01T00-00-00Z-default/manifest.json",
        ".dlqlab/emulator-4566/emulator.log",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    return root


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both."""
    folder = tmp_path_factory.mktemp("dist")
    build(checkout, folder, "wheel", "sdist")
    return folder


def test_wheel_holds_the_specimen_and_one_package(checkout: Path, built: Path) -> None:
    """App with its hidden folder, examples, load file and so on; nothing that was made in the checkout."""
    with zipfile.ZipFile(built / WHEEL) as wheel:
        names = set(wheel.namelist())
    bundled = {name.removeprefix("dlqlab/bundled/") for name in names if name.startswith("dlqlab/bundled/")}
    package = {name.removeprefix("dlqlab/") for name in names if name.startswith("dlqlab/")}

    packages = {"dlqlab", "taskrules"} & {path.name for path in checkout.iterdir()}
    assert packages | {f"dlqlab-{__version__}.dist-info"} == {name.partition("/")[0] for name in names}
    assert {f"{part}/{name}" for part in BUNDLED for name in files(checkout / part)} == bundled
    assert files(checkout / "dlqlab") == package - {f"bundled/{name}" for name in bundled}
    assert (built / WHEEL).stat().st_size < SIZE_MAX_BYTES


def test_wheel_refuses_another_python_and_pins_what_is_patched(built: Path) -> None:
    """An installer says so by itself; a release that the patches were not written for is not installed."""
    with zipfile.ZipFile(built / WHEEL) as wheel:
        told = Parser().parsestr(wheel.read(f"dlqlab-{__version__}.dist-info/METADATA").decode())
    needed = {line.partition(";")[0].strip() for line in told.get_all("Requires-Dist", []) if "extra ==" not in line}

    assert "==3.13.*" == told["Requires-Python"]
    assert {f"localstack-core[runtime]=={version('localstack-core')}", "cbor2<6", "pyopenssl<26"} <= needed
    assert {"moto-ext", "rolo", "werkzeug", "awslambdaric", "boto3"} == {
        line.partition("==")[0] for line in needed if "==" in line and "localstack" not in line
    }


def test_source_archive_makes_the_same_wheel(built: Path, tmp_path: Path) -> None:
    """Whoever packages dlqlab from its archive gets what the checkout gives."""
    with tarfile.open(built / f"dlqlab-{__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    build(tmp_path / f"dlqlab-{__version__}", tmp_path, "wheel")
    with zipfile.ZipFile(built / WHEEL) as one, zipfile.ZipFile(tmp_path / WHEEL) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        assert not any(os.path.isabs(name) or ".." in name for name in one.namelist())  # noqa: PTH117  (names, not paths)
