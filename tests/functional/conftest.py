"""What tests of the simulation share."""

import fcntl

import pytest

from dlqlab import paths


@pytest.fixture(scope="session")
def compiled_engine() -> None:
    """The engine of the simulation; the first time in a checkout one process compiles it and the others wait."""
    from dlqlab.twin.simulate import simulate  # noqa: PLC0415  (numba takes a second to import)
    from tests.support.twin import scenario  # noqa: PLC0415  (as above)

    paths.STATE.mkdir(exist_ok=True)
    with (paths.STATE / "compiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        simulate(scenario(load={"tasks": 1, "duration_s": 1.0}))
