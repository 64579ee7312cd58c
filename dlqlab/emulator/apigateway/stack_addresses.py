"""The address of a REST API in a stack's outputs and variables is one that every machine can reach.

A template makes it of the API's id: ``https://ID.execute-api.REGION.amazonaws.com/STAGE``. LocalStack makes of that
``https://ID.execute-api.127.0.0.1:PORT/STAGE``, which no name service knows and where nobody speaks TLS.
"""

import re

from localstack import config
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import ChangeSetModelPreproc

_ADDRESS = re.compile(
    r"https?://(?P<api>[^./]+)\.execute-api\.[a-z0-9-]+\.(amazonaws\.com|127\.0\.0\.1)(?P<path>(/.*)?)"
)


def reachable(value: str, endpoint: str) -> str | None:
    """The address below the emulator's own; None for a text that is not an address of a REST API."""
    found = _ADDRESS.fullmatch(value)
    return f"{endpoint}/_aws/execute-api/{found['api']}{found['path']}" if found else None


def patch() -> None:
    original = ChangeSetModelPreproc._perform_static_replacements

    def replaced(value: str) -> str:
        kept = value in config.CFN_STRING_REPLACEMENT_DENY_LIST
        return (None if kept else reachable(value, config.external_service_url())) or str(original(value))

    ChangeSetModelPreproc._perform_static_replacements = staticmethod(replaced)
