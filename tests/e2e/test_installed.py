"""The wheel in an environment of its own: installed, run in an empty folder, judged; nothing is left elsewhere."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from dlqlab import paths

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SMALL = """
description = "a small run"
seed = 5
[load]
users = 4
rate_per_s = 20
duration_s = 30
tasks = 60
[retry]
base_s = 1
factor = 1
[judge]
max_half_width = 0.2
"""
UV = Path(sys.executable).with_name("uv")
FOREIGN = ("PYTHON", "DLQLAB_HOME", "VIRTUAL_ENV", "MPL", "IPYTHON", "JUPYTER", "XDG_", "NUMBA")
"""What a shell may say that would lead the installed program to files of its user."""
NO_REGISTRY = ("error sending request", "dns error", "Network connectivity is disabled", "Failed to fetch")


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel and what it needs, a user's home, and a folder to work in."""

    environment: Path
    home: Path
    folder: Path

    @property
    def packages(self) -> Path:
        return next((self.environment / "lib").glob("python3*")) / "site-packages"

    def dlqlab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return subprocess.run(
            [self.environment / "bin" / "dlqlab", *arguments],
            cwd=self.folder,
            env=kept | {"HOME": str(self.home), "PATH": f"{self.environment / 'bin'}:/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def state_of_files(self) -> dict[str, tuple[int, int]]:
        """Size and time of each file of the environment but bytecode, which Python keeps beside what it imports."""
        return {entry.path: (entry.stat().st_size, entry.stat().st_mtime_ns) for entry in _files(str(self.environment))}


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    """Every file below the folder but bytecode, by the system's own listing: there are tens of thousands."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif not entry.name.endswith(".pyc") and entry.is_file():
                yield entry


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel of this checkout with the locked versions, as somebody installs it who has nothing but Python."""
    root = tmp_path_factory.mktemp("installed")
    found = Installed(root / "environment", root / "home", root / "folder")
    found.home.mkdir()
    found.folder.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(root)]
    subprocess.run(build, cwd=paths.ROOT, check=True, capture_output=True, timeout=60)
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, found.environment], check=True, timeout=60)
    _install(found, next(root.glob("*.whl")))
    _take_bytecode(found)
    yield found
    found.dlqlab("down", "--all")


def _install(found: Installed, wheel: Path) -> None:
    python = found.environment / "bin" / "python"
    done = subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", python, "--constraint", paths.ROOT / "requirements.txt", wheel],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode and "CI" not in os.environ and any(sign in done.stderr for sign in NO_REGISTRY):
        pytest.skip(f"no registry of Python packages can be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


def _take_bytecode(found: Installed) -> None:
    """Link what Python has compiled for this environment: the same files, and half a minute of compiling less.

    Python looks at the source's time and size and compiles anew where one differs; it puts a new file in the old one's
    place then, which stays as it is where it is linked from.
    """
    ours = Path(str(distribution("click").locate_file(".")))
    for compiled in ours.glob("**/__pycache__/*.pyc"):
        target = found.packages / compiled.relative_to(ours)
        if target.parent.parent.is_dir() and not target.exists():
            target.parent.mkdir(exist_ok=True)
            try:
                target.hardlink_to(compiled)
            except OSError:  # another file system
                target.write_bytes(compiled.read_bytes())


@pytest.fixture(scope="module")
def run(installed: Installed) -> subprocess.CompletedProcess[str]:
    """A run of a scenario of the user's own."""
    (installed.folder / "mine.toml").write_text(SMALL)
    before = installed.state_of_files()
    done = installed.dlqlab("run", "mine.toml", "--port", "auto")
    assert done.returncode == 0, done.stdout + done.stderr
    assert before == installed.state_of_files(), "something was written into the installed packages"
    return done


def test_run_in_an_empty_folder_ends_in_a_valid_verdict_and_a_report(
    installed: Installed, run: subprocess.CompletedProcess[str]
) -> None:
    """Emulator, deployment, load, verdict, report: runs under ./runs, state under ./.dlqlab, nothing else."""
    report = installed.folder / run.stdout.splitlines()[-1].removeprefix("report: ")
    verdict = json.loads((report.parent / "verdict.json").read_text())

    assert ("valid", True) == (verdict["status"], verdict["finished"])
    assert installed.folder / "runs" == report.parent.parent
    assert "Valid" in report.read_text()
    assert {"mine.toml", "runs", ".dlqlab"} == {path.name for path in installed.folder.iterdir()}


def test_run_leaves_nothing_in_the_users_home_but_caches(
    installed: Installed, run: subprocess.CompletedProcess[str]
) -> None:
    """No settings, no profile, no history: only what may be deleted at any time."""
    assert run.returncode == 0
    left = (path.relative_to(installed.home) for path in installed.home.rglob("*") if path.is_file())

    assert {".cache"} >= {path.parts[0] for path in left}


def test_installed_package_shadows_no_other_apps_modules(installed: Installed) -> None:
    """Of what the wheel brings only dlqlab can be imported from the top, as app and chalicelib of others are."""
    names = {path.name.partition(".")[0] for path in installed.packages.iterdir()}

    assert "dlqlab" in names
    assert set() == names & {"app", "chalicelib", "examples", "loadtest", "notebooks", "scenarios", "docs", "tests"}


def test_user_copies_changes_and_names_what_is_bundled(installed: Installed, tmp_path: Path) -> None:
    """A scenario that is copied out and changed goes by its name, and the doctor finds all that a run needs."""
    elsewhere = dataclasses.replace(installed, folder=tmp_path)
    copied = elsewhere.dlqlab("specimen", "copy", ".", "scenarios/outage.toml")
    (tmp_path / "scenarios" / "outage.toml").write_text('description = "my own outage"')
    listed = elsewhere.dlqlab("scenarios")
    looked_at = elsewhere.dlqlab("doctor")

    assert "copied: scenarios/outage.toml\n" == copied.stdout, copied.stderr
    assert re.search(r"^outage +my own outage$", listed.stdout, re.MULTILINE), listed.stdout + listed.stderr
    assert re.search(r"^default +60 tasks/s", listed.stdout, re.MULTILINE)
    assert re.search(rf"^✓ LocalStack +{re.escape(version('localstack-core'))}", looked_at.stdout, re.MULTILINE), (
        looked_at.stdout + looked_at.stderr
    )
