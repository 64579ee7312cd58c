"""A Python that this machine lacks is asked of uv, with programs in the place of interpreters."""

from pathlib import Path

import pytest

from dlqlab.emulator.runtime import installing, interpreters


def test_missing_python_is_brought_by_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for once; found where it was put."""
    ran: list[list[str]] = []

    def run(command: list[str], _what: str, _variables: object) -> None:
        ran.append(command)
        path = tmp_path / "cpython-3.99.1-linux" / "bin" / "python3.99"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\nprintf 'cpython\\n3.99\\n{tmp_path}\\n{path}\\n'\n")
        path.chmod(0o755)

    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path))
    monkeypatch.setattr(installing, "uv", lambda: "/uv")
    monkeypatch.setattr(installing, "run", run)
    found = interpreters.find("3.99")

    assert found is not None
    assert (found.version, found.prefix) == ("3.99", tmp_path)
    assert ran == [["/uv", "python", "install", "--quiet", "--no-bin", "3.99"]]


@pytest.mark.parametrize(("tool", "said"), [(None, []), ("/not-there/uv", ["Python 3.98 cannot be installed"])])
def test_python_that_nobody_brings_is_none(
    tool: str | None, said: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What uv said stands in the log."""
    interpreters.find.cache_clear()
    monkeypatch.setattr(installing, "uv", lambda: tool)

    assert interpreters.find("3.98") is None
    assert [record.getMessage()[:31] for record in caplog.records] == said
