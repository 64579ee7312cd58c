"""Finding a run by the name that somebody gives."""

from pathlib import Path

import pytest

from dlqlab.errors import UsageError
from dlqlab.run.stored_runs import find_run


@pytest.mark.parametrize(
    ("name", "said"),
    [("latest", "holds no run yet: dlqlab run makes one"), ("nothing", "no run 'nothing': give a name under")],
)
def test_run_that_is_not_there_is_said_with_what_to_do(tmp_path: Path, name: str, said: str) -> None:
    """Before the first run "latest" is nobody's mistake."""
    with pytest.raises(UsageError, match=said):
        find_run(name, tmp_path)
