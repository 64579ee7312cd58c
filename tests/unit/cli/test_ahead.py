"""Late modules come in early, in the background."""

import sys
from pathlib import Path

import pytest

from dlqlab.cli.actions.ahead import import_ahead
from dlqlab.cli.actions.run import CONCLUDE, REPORT


def test_modules_are_imported_by_the_time_the_thread_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each named module is there afterwards, in the order given."""
    for name in ("dlqlab_late_one", "dlqlab_late_two"):
        (tmp_path / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    import_ahead(("dlqlab_late_one", "dlqlab_late_two")).join()
    assert {"dlqlab_late_one", "dlqlab_late_two"} <= sys.modules.keys()


def test_late_modules_exist() -> None:
    """A renamed module would otherwise be noticed at the end of a run only."""
    import_ahead([CONCLUDE, *REPORT]).join()
    assert {CONCLUDE, *REPORT} <= sys.modules.keys()
