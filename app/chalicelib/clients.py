"""AWS clients: one session for all of them, keep-alive, and nothing looked up that is known.

What an execution environment pays at its first call: making a session and a client costs more CPU time than a hundred
calls. Measured by ``benchmarks/cold_start.py``.
"""

import functools
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

if TYPE_CHECKING:  # the stubs are no part of the bundle
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

SERVICES = ["dynamodb", "sqs"]
CLIENT_CONFIG = Config(
    user_agent="dlqlab",  # a fixed one: assembling the usual one, twice a call, is a fifth of a call's CPU time
    tcp_keepalive=True,
    parameter_validation=False,  # our calls are fixed; checking each costs CPU
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=1,  # with the retry, one call that hangs stays within the functions' 10 s
    read_timeout=3,
)


class KnownServicesLoader(Loader):
    """Takes it that botocore has the services that we use, instead of looking into the folders of all 400."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 # botocore's signature
        return SERVICES


@functools.cache
def _session() -> Session:
    """One for all clients: the second one finds endpoints and partitions loaded."""
    session = Session()
    session.register_component("data_loader", KnownServicesLoader())
    return session


def dynamodb() -> "DynamoDBClient":
    """A new client; keep it."""
    return cast("DynamoDBClient", _session().create_client("dynamodb", config=CLIENT_CONFIG))


def sqs() -> "SQSClient":
    """A new client; keep it."""
    return cast("SQSClient", _session().create_client("sqs", config=CLIENT_CONFIG))
