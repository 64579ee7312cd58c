"""DynamoDB calls that the fast path can serve go to it straight from the server, past LocalStack's chain of handlers.

The chain costs three times what the call itself does. Calls that the fast path declines go through it as before.
Off where moto serves all calls, and where calls are recorded.
"""

import functools
import os

from localstack.utils.strings import long_uid

from dlqlab.emulator import settings
from dlqlab.emulator.core.services import provider
from dlqlab.emulator.dynamodb.provider import FastPath, wire
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.gateway import shortcut

TARGET = "DynamoDB_20120810"


def answer(call: shortcut.Call, fast_path: FastPath) -> shortcut.Reply | None:
    """The fast path's answer; None where the chain must serve the call, and nothing has been changed."""
    try:
        found = fast_path.answer(call.operation, call.body, account_id=call.account_id, region=call.region)
    except UnsupportedError:
        return None
    status, headers, data, _ = wire(found, long_uid())
    line = "200 OK" if status == 200 else f"{status} Bad Request"  # noqa: PLR2004  (OK)
    return line, [*headers.items(), ("Content-Length", str(len(data)))], data


@functools.cache
def _fast_path() -> FastPath:
    return FastPath(provider("dynamodb").lock)


def patch() -> None:
    if os.environ.get(settings.DYNAMODB) == settings.DYNAMODB_FAST:
        shortcut.serve(target=TARGET, service="dynamodb", answer=lambda call: answer(call, _fast_path()))
