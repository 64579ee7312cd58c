"""The record of this process: started by the patch, looked at by HTTP, ended with the emulator."""

import atexit
import functools
import os
from pathlib import Path
from typing import Any

from localstack.http import Response
from localstack.runtime.shutdown import ON_AFTER_SERVICE_SHUTDOWN_HANDLERS
from localstack.services.edge import ROUTER
from moto.dynamodb.models import dynamodb_backends

from dlqlab.contracts.recorded import FOLDER, STATUS_PATH
from dlqlab.emulator import settings
from dlqlab.emulator.core import strikes
from dlqlab.emulator.recorder import functions, publishes, queues, relays, requests
from dlqlab.emulator.recorder.actors import Environments
from dlqlab.emulator.recorder.finish import Finisher
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.rows import FAULT
from dlqlab.emulator.recorder.witness import Witness

_JOURNALS: list[Journal] = []
"""The one of this process, once it records."""


def journal() -> Journal | None:
    """Where this process records; None where it does not."""
    return _JOURNALS[0] if _JOURNALS else None


def start() -> None:
    """Record from now on. After all other patches: the hooks go around what these have made of LocalStack."""
    folder = Path(os.environ[settings.STATE_DIR]) / FOLDER
    keeps_bodies = os.environ.get(settings.RECORDED_BODIES) != settings.NO_BODIES
    journal = Journal(folder, Finisher(keeps_bodies=keeps_bodies, keys_of=keys_of).by_tag)
    witness, environments = Witness(journal), Environments()
    queues.install(witness)
    functions.install(witness, environments)
    requests.install(witness, environments)
    relays.install(witness)
    publishes.install(witness)
    strikes.WATCHES.append(functools.partial(_struck, witness))
    ROUTER.add(STATUS_PATH, functools.partial(_state, journal), methods=["GET"])
    ON_AFTER_SERVICE_SHUTDOWN_HANDLERS.register(journal.close)
    atexit.register(journal.close)
    journal.start()
    _JOURNALS.append(journal)


def _struck(witness: Witness, strike: strikes.Strike) -> None:
    witness.give_finished((FAULT, *witness.stamp(), *strike))


def keys_of(table: str) -> tuple[str, ...] | None:
    """The names of a DynamoDB table's key attributes."""
    for backends in list(dynamodb_backends.values()):
        for backend in list(backends.values()):
            found = backend.tables.get(table)
            if found is not None:
                return tuple(name for name in (found.hash_key_attr, found.range_key_attr) if name)
    return None


def _state(journal: Journal, _request: Any, **_parameters: Any) -> Response:
    flushed = journal.flush()
    return Response.for_json(
        {"recording": True, "folder": str(journal.folder), "flushed": flushed, "lost": journal.lost()}
    )
