"""Paths as they are printed: what is printed can be typed where the user stands."""

from pathlib import Path

import pytest

from dlqlab import paths


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
    """Inside of the checkout, and below any folder; whole where a way up and down again would be no help."""
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
