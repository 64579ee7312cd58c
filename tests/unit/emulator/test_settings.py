"""The emulator's environment."""

from pathlib import Path

import pytest

from dlqlab.emulator import settings


def test_record_of_calls_is_kept_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file's name means the same to the emulator, which runs in another folder."""
    monkeypatch.chdir(tmp_path)
    found = []
    for name in ("", "calls.jsonl"):
        monkeypatch.setenv(settings.CALL_RECORD, name)
        environ = settings.environment(host="127.0.0.1", port=1, state=tmp_path, patches=())
        found.append(environ.get(settings.CALL_RECORD))

    assert [None, str(tmp_path / "calls.jsonl")] == found
