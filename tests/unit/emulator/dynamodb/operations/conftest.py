"""Each file has a provider of its own."""

import pytest

from tests.unit.emulator.dynamodb.operations.full import Full


@pytest.fixture(scope="module")
def side() -> Full:
    return Full()
