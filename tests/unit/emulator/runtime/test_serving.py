"""Which Python runs a function, and what is said where it is not the declared one."""

import platform
from pathlib import Path

import pytest

from dlqlab.emulator.host import fidelity_card
from dlqlab.emulator.runtime import interpreters, locked_base, serving
from dlqlab.emulator.runtime.base import OWN_VERSION, UnsupportedPythonError, build_base
from dlqlab.emulator.runtime.installing import InstallError


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 127\n")
    path.chmod(0o755)
    return path


def test_interpreters_are_looked_for_on_path_in_pyenv_and_in_uv(tmp_path: Path) -> None:
    """In this order; of several patch versions the newest first, by number; what cannot be run is not a candidate."""
    on_path = executable(tmp_path / "bin" / "python3.12")
    old = executable(tmp_path / ".pyenv" / "versions" / "3.12.9" / "bin" / "python3.12")
    new = executable(tmp_path / ".pyenv" / "versions" / "3.12.10" / "bin" / "python3.12")
    executable(tmp_path / ".pyenv" / "versions" / "3.1.2" / "bin" / "python3.1")
    uv = executable(tmp_path / "uv" / "cpython-3.12.4-linux-x86_64-gnu" / "bin" / "python3.12")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "python3.12").write_text("not to be run")
    environ = {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path / 'other'}:{tmp_path / 'bin'}",
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv"),
    }

    assert [on_path, new, old, uv] == list(interpreters.candidates("3.12", environ))


def test_no_candidate_without_any_variable() -> None:
    """An empty environment is no error."""
    assert [] == list(interpreters.candidates("3.12", {}))


@pytest.mark.parametrize(
    ("runtime", "version"), [("python3.9", "3.9"), ("python3.14", "3.14"), ("nodejs20.x", None), (None, None)]
)
def test_version_is_read_from_the_runtime(runtime: str | None, version: str | None) -> None:
    """Runtimes of Python 3 declare one, others do not."""
    assert version == interpreters.declared(runtime)


@pytest.mark.parametrize(
    ("package_type", "runtime", "said"),
    [
        ("Zip", "nodejs20.x", "Value nodejs20.x at 'runtime'"),
        ("Image", None, "container images"),
        ("Zip", None, "None"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_remedy(package_type: str, runtime: str | None, said: str) -> None:
    """The refusal names field, value and what to give instead."""
    text = serving.refusal(package_type, runtime)

    assert text is not None
    assert said in text
    assert "python3.x" in text


def test_python_is_not_refused() -> None:
    """Neither a version that this machine lacks: it is served by another."""
    assert serving.refusal("Zip", "python3.9") is None


def test_base_of_another_version_has_what_is_not_compiled(tmp_path: Path) -> None:
    """Packages in Python, and in the place of awslambdaric's compiled transport one in Python."""
    own = build_base(tmp_path / "own")
    other = build_base(tmp_path / "other", "3.12" if OWN_VERSION != "3.12" else "3.13")

    assert {"awslambdaric", "boto3", "botocore", "urllib3"} <= {path.name for path in other.iterdir()}
    assert any(path.suffix == ".so" for path in own.iterdir())
    assert not any(path.suffix == ".so" for path in other.iterdir())
    assert (other / "runtime_client.py").is_file()


def test_version_that_the_packages_do_not_support_is_refused(tmp_path: Path) -> None:
    """By the metadata of the installed packages."""
    with pytest.raises(UnsupportedPythonError, match="is for Python"):
        build_base(tmp_path / "base", "3.7")


def test_foreign_architecture_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declared arm64 on another processor, and a Python that is not there; what is as declared is not."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    notes = serving._notes("python3.12", "no Python 3.12", ("arm64",))

    assert f"declared python3.12 runs on Python {OWN_VERSION}: no Python 3.12" == notes[0]
    assert "declared arm64 runs on x86_64" in notes[1]
    assert () == serving._notes("python3.13", None, ("x86_64",))
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert () == serving._notes("python3.13", None, ("arm64",))


@pytest.mark.parametrize(
    ("served", "ok", "said"),
    [
        ({}, (False, True), "not tried yet"),
        ({"python3.13": {"python": "3.13", "files": ""}}, (True, True), "/var/task, /opt"),
        ({"python3.12": {"python": "3.13", "files": ""}}, (True, False), "python3.12 runs on Python 3.13"),
        ({"python3.13": {"python": "3.13", "files": "no room"}}, (False, True), "the machine's, because no room"),
    ],
)
def test_card_says_what_is_in_force(served: dict[str, dict[str, str]], ok: tuple[bool, bool], said: str) -> None:
    """The file system of functions, and the Python of each runtime that was declared."""
    files, runtimes = fidelity_card._functions(served)

    assert ok == (files["ok"], runtimes["ok"])
    assert said in f"{files['statement']} {runtimes['statement']}"


def test_packages_for_a_python_of_earlier_releases_are_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With hashes, and fetched once; a registry that cannot be reached is told, and then asked again."""
    asked: list[list[str]] = []

    def run(command: list[str], what: str) -> None:
        asked.append(command)
        if len(asked) == 1:
            raise InstallError(f"{what} cannot be installed by uv: no network")
        folder = Path(command[command.index("--target") + 1])
        (folder / "awslambdaric").mkdir()
        (folder / "bin").mkdir()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(locked_base, "run", run)
    with pytest.raises(UnsupportedPythonError, match=r"is for Python >=3\.10, and the runtime client .*: no network"):
        build_base(tmp_path / "base", "3.9")
    base = build_base(tmp_path / "base", "3.9")
    build_base(tmp_path / "other", "3.9")

    assert {path.name for path in base.iterdir()} == {"awslambdaric", "function_network"}
    assert len(asked) == 2
    assert {"--require-hashes", "--only-binary=:all:", "--python-version"} <= set(asked[1])
