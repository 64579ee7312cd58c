"""Content of layers, from folders, archives and the real tools of PyPI and npm."""

import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from dlqlab.emulator.functions.layer_packages import LayerError, content
from dlqlab.emulator.runtime import installing

MADE = """\
Metadata-Version: 2.1
Name: tiny-layer
Version: 1.0
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dlqlab" / "layers"


def wheel(folder: Path) -> str:
    """A requirement of a wheel that lies in a folder: no registry is asked."""
    path = folder / "tiny_layer-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_layer.py", "x = 7\n")
        archive.writestr("tiny_layer-1.0.dist-info/METADATA", MADE)
        archive.writestr(
            "tiny_layer-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_layer-1.0.dist-info/RECORD", "tiny_layer.py,,\n")
    return f"tiny-layer@file://{path}"


def test_requirement_becomes_a_layer_once(tmp_path: Path, cache: Path) -> None:
    """By the tool that is here; two that ask at once share one folder; each Python has its own."""
    source = wheel(tmp_path)
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(content(source, python="3.13", project=None))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found[0] == found[1]
    assert (found[0] / "python" / "tiny_layer.py").read_text() == "x = 7\n"
    assert found[0].parent == cache
    assert content(source, python="3.12", project=None) != found[0]
    assert not [path for path in cache.iterdir() if path.name.startswith(".new-")]


def test_pip_serves_where_uv_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same content."""
    monkeypatch.setattr(shutil, "which", lambda *_args, **_options: None)
    folder = content(wheel(tmp_path), python="3.13", project=None)

    assert (folder / "python" / "tiny_layer.py").exists()


def test_package_that_cannot_be_had_is_told_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    """What the tool said; the next call tries again."""
    source = wheel(tmp_path)
    path = Path(source.partition("file://")[2])
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(LayerError, match=r"tiny-layer@file.* cannot be installed by \w+: .*tiny_layer"):
        content(source, python="3.13", project=None)

    assert list(cache.iterdir()) == []
    path.write_bytes(kept)
    assert content(source, python="3.13", project=None).is_dir()


def test_registry_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bound of time."""
    monkeypatch.setattr(installing, "pip", lambda *_args: [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(installing, "INSTALL_WAITS_S", 0.2)
    with pytest.raises(LayerError, match=r"idna was not installed within 0\.2 s"):
        content("idna", python="3.13", project=None)


def test_packages_of_npm_become_a_layer(tmp_path: Path) -> None:
    """One in a folder, so that no registry is asked; its scripts do not run."""
    if shutil.which("npm") is None:
        pytest.skip("this machine has no npm on PATH")
    package = tmp_path / "tiny"
    package.mkdir()
    (package / "package.json").write_text(
        '{"name": "tiny-layer", "version": "1.0.0", "scripts": {"install": "touch ran"}}'
    )
    (package / "index.js").write_text("module.exports = 7\n")
    packed = subprocess.run(
        ["npm", "pack", "--silent"], cwd=package, capture_output=True, text=True, check=True, timeout=60
    )
    folder = content(f"npm:{package / packed.stdout.strip()}", python=None, project=None)

    assert (folder / "nodejs" / "node_modules" / "tiny-layer" / "index.js").exists()
    assert not (folder / "nodejs" / "node_modules" / "tiny-layer" / "ran").exists()


def test_requirement_of_pypi_is_for_python_only() -> None:
    """Refused for another runtime, with what to give."""
    with pytest.raises(LayerError, match="the function's runtime is not Python: give npm:NAME"):
        content("idna", python=None, project=None)


def test_folder_and_archive_are_meant_from_the_project_file(tmp_path: Path, cache: Path) -> None:
    """A folder is used where it lies; of an archive the files keep their modes; a changed one is unzipped anew."""
    project = tmp_path / "dlqlab.toml"
    (tmp_path / "layer").mkdir()
    program = zipfile.ZipInfo("bin/tool")
    program.external_attr = 0o755 << 16
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as archive:
        archive.writestr(program, "#!/bin/sh\n")
    first = content("layer.zip", python="3.13", project=project)

    assert content("./layer", python="3.13", project=project) == tmp_path / "layer"
    assert first.parent == cache
    assert stat.S_IMODE((first / "bin" / "tool").stat().st_mode) == 0o755
    with zipfile.ZipFile(tmp_path / "layer.zip", "a") as archive:
        archive.writestr("more", "")
    assert content("layer.zip", python="3.13", project=project) != first
    (tmp_path / "bad.zip").write_text("no archive")
    with pytest.raises(LayerError, match=r"bad\.zip cannot be unzipped: File is not a zip file"):
        content("bad.zip", python="3.13", project=project)
    with pytest.raises(LayerError, match=r"gone is not there: give a folder or a zip file"):
        content("./gone", python="3.13", project=project)
