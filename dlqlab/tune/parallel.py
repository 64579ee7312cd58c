"""Doing jobs side by side: in this process, on processes of this machine, or on a Dask cluster that is there already.

A cluster of ours listens on loopback only, has no dashboard, and ends with the sweep. One that is given by its address
is used and left as it is; its workers need this version of dlqlab.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from dlqlab.errors import RunError, UsageError
from dlqlab.tune.jobs import Job, World, perform

CONNECT_S: Final = 10
WORKERS_MAX: Final = 256
Row = dict[str, float]
Perform = Callable[[Sequence[Job], World], list[Row]]
"""Does jobs; the rows come in the order of the jobs."""
Done = Callable[[], None]
"""Told each time that a job is done."""


@contextmanager
def performer(*, workers: int, scheduler: str | None = None, done: Done = lambda: None) -> Iterator[Perform]:
    """What does jobs: with 0 workers in this process, else on Dask.

    Raises:
        UsageError: no scheduler answers at the address, or the number of workers is impossible.
    """
    if not 0 <= workers <= WORKERS_MAX:
        raise UsageError(f"workers is {workers}: give 1 to {WORKERS_MAX} processes, or 0 for none")
    if workers == 0 and scheduler is None:
        yield lambda jobs, world: [_here(job, world, done) for job in jobs]
        return
    with _client(workers, scheduler) as client:
        yield lambda jobs, world: _on_dask(client, jobs, world, done)


def _here(job: Job, world: World, done: Done) -> Row:
    row = perform(job, world)
    done()
    return row


def _on_dask(client: Any, jobs: Sequence[Job], world: World, done: Done) -> list[Row]:
    """Raises RunError where a job failed; names its setting."""
    from distributed import as_completed  # noqa: PLC0415  (takes a second)

    shared = client.scatter(world, broadcast=True)
    # The compiler's result is kept on disk: the first job makes it, the others find it.
    rows = {0: _result(client.submit(perform, jobs[0], shared, pure=False), jobs[0])}
    done()
    places = {client.submit(perform, job, shared, pure=False): place for place, job in enumerate(jobs) if place}
    for future in as_completed(places):
        rows[places[future]] = _result(future, jobs[places[future]])
        done()
    return [rows[place] for place in range(len(jobs))]


def _result(future: Any, job: Job) -> Row:
    error = future.exception()
    if error is not None:
        raise RunError(f"setting {job.setting}, seed {job.seed}: {type(error).__name__}: {error}") from error
    found: Row = future.result()
    return found


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    from distributed import Client, LocalCluster  # noqa: PLC0415  (takes a second)

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=CONNECT_S)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--scheduler {scheduler}: no Dask scheduler answers: {error}; give an address such as "
                "tcp://127.0.0.1:8786, or none for processes of this machine"
            ) from error
        with client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # its page needs Bokeh, which is not here; None would want port 8787
            # Without a dashboard the scheduler still serves its health over HTTP, on a port that others may have taken.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
