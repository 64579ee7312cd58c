"""Which Python runs a function, and what is said where it is not the declared one."""

import platform
from pathlib import Path

import pytest

from dlqlab.emulator.host import fidelity_card
from dlqlab.emulator.runtime import interpreters, locked_base, serving
from dlqlab.emulator.runtime.base import OWN_VERSION, UnsupportedPythonError, build_base
from dlqlab.emulator.runtime.installing import InstallError
from dlqlab.emulator.runtime.interpreters import own as own_python
from dlqlab.emulator.runtime.node import fetch
from dlqlab.emulator.runtime.node import find as nodes
from dlqlab.emulator.runtime.programs import Provided


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
        ("Zip", "java21", "Value java21 at 'runtime'"),
        ("Zip", "dotnet8", "Value dotnet8 at 'runtime'"),
        ("Zip", "ruby3.3", "Value ruby3.3 at 'runtime'"),
        ("Zip", "go1.x", "Value go1.x at 'runtime'"),
        ("Zip", "nodejs16.x", "Value nodejs16.x at 'runtime': AWS creates no functions of it"),
        ("Zip", "nodejs4.3", "Value nodejs4.3 at 'runtime': AWS creates no functions of it"),
        ("Image", None, "container images"),
        ("Zip", None, "None"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_remedy(package_type: str, runtime: str | None, said: str) -> None:
    """The refusal names field, value and what to give instead."""
    text = serving.refusal(package_type, runtime)

    assert text is not None
    assert said in text
    assert "python3.x, nodejs18.x to nodejs24.x, provided.al2 or provided.al2023" in text


@pytest.mark.parametrize("runtime", ["python3.9", "provided.al2", "provided.al2023"])
def test_what_can_be_served_is_not_refused(runtime: str) -> None:
    """Neither a version that this machine lacks: it is served by another."""
    assert serving.refusal("Zip", runtime) is None


@pytest.mark.parametrize(
    ("own", "fetched", "others", "served", "said"),
    [
        ("20.1.0", "20.9.0", "24.2.0", "20.1.0", None),
        (None, "20.9.0", "24.2.0", "20.9.0", None),
        (None, None, "24.2.0", "24.2.0", "no route; nor is it on PATH"),
    ],
)
def test_node_is_the_declared_one_else_a_fetched_one_else_the_machines(
    monkeypatch: pytest.MonkeyPatch, own: str | None, fetched: str | None, others: str, served: str, said: str | None
) -> None:
    """What differs is said."""

    def node(version: str) -> nodes.Node:
        return nodes.Node(version=version, executable=Path("/node"))

    def node_of(_major: int) -> nodes.Node:
        if fetched is None:
            raise fetch.FetchError("no route")
        return node(fetched)

    monkeypatch.setattr(nodes, "find", lambda _major: node(own) if own else None)
    monkeypatch.setattr(nodes, "find_nearest", lambda _major: node(others))
    monkeypatch.setattr(fetch, "node_of", node_of)
    found, reason = serving._node.__wrapped__(20)

    assert served == found.version
    assert reason is None if said is None else reason is not None and said in reason


def test_node_that_cannot_be_had_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With field, value, reason and remedy."""

    def fail(_major: int) -> None:
        raise fetch.FetchError(
            "Node.js 20 could not be fetched (no route); try again with the package registry in reach"
        )

    monkeypatch.setattr(serving, "_node", fail)
    text = serving.refusal("Zip", "nodejs20.x")

    assert text == (
        "Value nodejs20.x at 'runtime': Node.js 20 could not be fetched (no route); "
        "try again with the package registry in reach"
    )


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
    notes = serving._notes("python3.12", own_python(), "no Python 3.12", ("arm64",))

    assert f"declared python3.12 runs on Python {OWN_VERSION}: no Python 3.12" == notes[0]
    assert "declared arm64 runs on x86_64" in notes[1]
    assert "a bootstrap compiled for arm64" in serving._notes("provided.al2023", Provided(), None, ("arm64",))[0]
    assert () == serving._notes("python3.13", own_python(), None, ("x86_64",))
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert () == serving._notes("python3.13", own_python(), None, ("arm64",))


@pytest.mark.parametrize(
    ("served", "ok", "said"),
    [
        ({}, (False, True), "not tried yet"),
        ({"python3.13": {"program": "Python 3.13", "is": "python3.13", "files": ""}}, (True, True), "/var/task, /opt"),
        (
            {"python3.12": {"program": "Python 3.13", "is": "python3.13", "files": ""}},
            (True, False),
            "python3.12 runs on Python 3.13",
        ),
        (
            {"python3.13": {"program": "Python 3.13", "is": "python3.13", "files": "no room"}},
            (False, True),
            "the machine's, because no room",
        ),
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
