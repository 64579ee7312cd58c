"""All of these tests simulate."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _compiled(compiled_engine: None) -> None:
    """Once in a session."""
