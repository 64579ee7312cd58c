"""The emulator's environment."""

from pathlib import Path

import pytest

from dlqlab.emulator import settings
from dlqlab.emulator.patches import by_default
from dlqlab.errors import UsageError


def test_record_of_calls_is_kept_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file's name means the same to the emulator, which runs in another folder."""
    monkeypatch.chdir(tmp_path)
    found = []
    for name in ("", "calls.jsonl"):
        monkeypatch.setenv(settings.CALL_RECORD, name)
        environ = settings.environment(host="127.0.0.1", port=1, state=tmp_path, patches=())
        found.append(environ.get(settings.CALL_RECORD))

    assert [None, str(tmp_path / "calls.jsonl")] == found


def test_project_file_of_the_folder_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The emulator is told where it is, and what functions may reach by it and by the shell; a wrong one is told."""

    def environ() -> dict[str, str]:
        return settings.environment(host="127.0.0.1", port=1, state=tmp_path, patches=())

    (tmp_path / ".git").mkdir()
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    monkeypatch.setenv(settings.ALLOW_NETWORK, "a:1, b:2")
    assert (environ()[settings.PROJECT_FILE], environ()[settings.ALLOW_NETWORK]) == ("", "a:1,b:2")

    path = tmp_path / "dlqlab.toml"
    path.write_text('[network]\nallow = ["b:2", "c:3"]\n')
    assert (environ()[settings.PROJECT_FILE], environ()[settings.ALLOW_NETWORK]) == (str(path), "a:1,b:2,c:3")
    path.write_text("[networks]\n")
    with pytest.raises(UsageError, match="networks is not known"):
        environ()
    path.unlink()
    monkeypatch.setenv(settings.ALLOW_NETWORK, "a")
    with pytest.raises(UsageError, match="DLQLAB_ALLOW_NETWORK is 'a': give"):
        environ()


def test_what_must_be_asked_for_is_off_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM is enforced where its variable says on, and any other word is an error."""
    assert "enforce_iam" not in by_default()

    monkeypatch.setenv(settings.ENFORCE_IAM, "on")

    assert {settings.ENFORCE_IAM: "on"} == settings.asked()
    assert "enforce_iam" in by_default()

    monkeypatch.setenv(settings.LATENCY, "own.toml")

    assert str(Path("own.toml").resolve()) == settings.asked()[settings.LATENCY]
    assert "aws_latency" in by_default()

    monkeypatch.setenv(settings.LIMITS, "aws,api_per_s=1")

    assert "aws,api_per_s=1" == settings.asked()[settings.LIMITS]
    assert "aws_limits" in by_default()

    monkeypatch.setenv(settings.ENFORCE_IAM, "yes")
    with pytest.raises(UsageError, match="DLQLAB_ENFORCE_IAM is yes: give on or off"):
        settings.asked()
