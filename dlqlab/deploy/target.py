"""Where the pipeline is deployed: an endpoint that speaks the AWS API, and how to reach it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from dlqlab import paths
from dlqlab.contracts.names import Names
from dlqlab.emulator import settings
from dlqlab.emulator.lifecycle import DEFAULT_PORT, Emulator

API_STAGE = "api"
"""Stage of the API in API Gateway, as app/.chalice/config.json says."""


@dataclass(frozen=True)
class Target:
    """A stage at an endpoint. ``project_dir`` is the Chalice project, which keeps what it has deployed in itself."""

    endpoint: str
    stage: str
    project_dir: Path
    state_dir: Path
    environment: Mapping[str, str] = field(repr=False)

    @cached_property
    def names(self) -> Names:
        return Names.for_stage(self.stage)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_REGION"],
        )

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the target; every call has an end."""
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=20,
            **options,
        )
        return self._session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]

    def tool_environment(self) -> dict[str, str]:
        """Environment for tools such as Chalice: the shell's without its AWS settings, plus the target's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return inherited | dict(self.environment)

    def api_url(self, rest_api_id: str) -> str:
        """URL of the API at LocalStack; the one that Chalice prints is AWS's."""
        return f"{self.endpoint}/_aws/execute-api/{rest_api_id}/{API_STAGE}"


def local_target(emulator: Emulator, *, stage: str = "local", app: Path = paths.APP) -> Target:
    """The stage at an emulator of this checkout.

    Chalice remembers in the project folder what it deployed. The emulator on the default port uses the checkout's
    ``app``, so that ``chalice deploy`` by hand and dlqlab know of each other; any other gets a copy of its own.
    """
    state = Path(emulator.state)
    return Target(
        endpoint=emulator.endpoint,
        stage=stage,
        project_dir=app if emulator.port == DEFAULT_PORT else state / "app",
        state_dir=state,
        environment=settings.client_environment(emulator.endpoint),
    )
