"""Where the pipeline is deployed: an endpoint that speaks the AWS API, and how to reach it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ProfileNotFound

from dlqlab import paths
from dlqlab.contracts.hosts import is_loopback_url
from dlqlab.contracts.topology import Topology
from dlqlab.contracts.topology_file import read_topology
from dlqlab.emulator import settings
from dlqlab.emulator.core import listening
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.errors import UsageError
from dlqlab.proxies import without_proxy_for_loopback
from dlqlab.sessions import isolated_session, users_session

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

API_STAGE = "api"
"""Stage of the API in API Gateway, as app/.chalice/config.json says."""
LOCAL_STAGE = "local"
AWS = "aws"
"""What stands for a real account where otherwise a URL would."""
_ENDPOINTS = "AWS_ENDPOINT_URL"
_CLIENT_OPTIONS: Mapping[str, Any] = {"ignore_configured_endpoint_urls": True}
"""Otherwise an endpoint of the shell or of a profile would stand in for an account's."""


class TargetKind(StrEnum):
    """Whose the endpoint is."""

    LOCAL = "local"  # an emulator of this project
    URL = "url"  # somebody else's emulator, or ours on another machine or in a container
    AWS = "aws"  # an account


@dataclass(frozen=True)
class Target:
    """A stage at an endpoint. ``project_dir`` is the Chalice project, which keeps what it has deployed in itself.

    ``app`` is the folder of the pipeline under test, with its ``topology.toml``; a ``project_dir`` that is another one
    holds a copy of it.
    ``endpoint`` is None for an AWS account; then ``environment`` holds no credentials: they are the user's own.
    """

    endpoint: str | None
    stage: str
    project_dir: Path
    state_dir: Path
    environment: Mapping[str, str] = field(repr=False)
    kind: TargetKind = TargetKind.LOCAL
    app: Path = paths.APP
    found: Topology | None = None
    patience_s: float = 0.0
    """So long a call waits for an endpoint at which nobody listens, since a plan of faults has it gone for a while."""

    @cached_property
    def topology(self) -> Topology:
        """What the pipeline consists of at this stage: what was ``found`` at the target, else what its file says.

        Raises:
            TopologyError: its file is missing or cannot be used.
        """
        return self.found or read_topology(self.app, self.stage)

    @property
    def region(self) -> str:
        return self.environment["AWS_REGION"]

    @property
    def label(self) -> str:
        """What messages and the manifest call it: ``local``, the URL, or ``aws <region>``."""
        if self.kind is TargetKind.LOCAL:
            return str(TargetKind.LOCAL)
        return self.endpoint or f"{AWS} {self.region}"

    @property
    def is_this_machine(self) -> bool:
        """Whether load stays on this machine."""
        return self.endpoint is not None and is_loopback_url(self.endpoint)

    @cached_property
    def _session(self) -> boto3.Session:
        if self.kind is TargetKind.AWS:
            return users_session(self.region)
        return isolated_session(
            region=self.region,
            access_key=self.environment["AWS_ACCESS_KEY_ID"],
            secret_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    @overload
    def client(self, service: Literal["apigateway"], **options: Any) -> "APIGatewayClient": ...
    @overload
    def client(self, service: Literal["cloudformation"], **options: Any) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["cloudwatch"], **options: Any) -> "CloudWatchClient": ...
    @overload
    def client(self, service: Literal["dynamodb"], **options: Any) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["lambda"], **options: Any) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["logs"], **options: Any) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["sqs"], **options: Any) -> "SQSClient": ...
    @overload
    def client(self, service: str, **options: Any) -> Any: ...
    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the target; every call has an end."""
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=20,
            proxies={} if self.is_this_machine else None,  # a proxy has a loopback of its own
            **_CLIENT_OPTIONS,
            **options,
        )
        client = self._session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]
        if service == "sqs" and self.kind is TargetKind.LOCAL:
            client.meta.events.register("before-call.sqs.PurgeQueue", _purge_again)
        if self.patience_s:
            client.meta.events.register("before-send.*", self._outwait)
        return client

    def _outwait(self, **_more: object) -> None:
        """Before each try of a call."""
        address = urlsplit(self.endpoint or "")
        if address.hostname and address.port:
            listening.outwait(address.hostname, address.port, self.patience_s)

    def tool_environment(self) -> dict[str, str]:
        """Environment for tools such as Chalice: the shell's without AWS settings that are not the target's.

        An emulator's have no AWS configuration file either. A proxy stays, for what they fetch from elsewhere.
        """
        if self.kind is TargetKind.AWS:
            inherited = {name: value for name, value in os.environ.items() if not name.startswith(_ENDPOINTS)}
            return inherited | dict(self.environment)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
        return inherited | files | without_proxy_for_loopback(inherited) | dict(self.environment)

    def api_url(self, rest_api_id: str) -> str:
        """URL of the API. The one that Chalice prints is AWS's also where the endpoint is an emulator."""
        if self.endpoint is None:
            return f"https://{rest_api_id}.execute-api.{self.region}.amazonaws.com/{API_STAGE}"
        return f"{self.endpoint}/_aws/execute-api/{rest_api_id}/{API_STAGE}"


def _purge_again(params: dict[str, Any], **_more: object) -> None:
    """An emulator of ours takes a purge less than 60 s after another, so that runs need not wait for each other."""
    params["headers"][settings.PURGE_AGAIN] = "1"


def local_target(emulator: Emulator, *, stage: str = LOCAL_STAGE, app: Path = paths.APP) -> Target:
    """The stage at an emulator of this project.

    Chalice remembers in the project folder what it deployed. The emulator on the default port uses the pipeline's own
    folder, so that ``chalice deploy`` by hand and dlqlab know of each other; any other gets a copy of its own, and so
    does every one of a project that has none.
    """
    state = Path(emulator.state)
    in_place = emulator.port == DEFAULT_PORT and not paths.is_read_only(app)
    return Target(
        endpoint=emulator.endpoint,
        stage=stage,
        project_dir=app if in_place else _copy(state, app, stage),
        state_dir=state,
        environment=settings.client_environment(emulator.endpoint),
        app=app,
    )


def emulator_target(emulator: Emulator) -> Target:
    """All that is deployed at an emulator of this project, by whatever tool: what it is has yet to be ``found``."""
    state = Path(emulator.state)
    return Target(
        endpoint=emulator.endpoint,
        stage=LOCAL_STAGE,
        project_dir=state,
        state_dir=state,
        environment=settings.client_environment(emulator.endpoint),
        app=state,
    )


def _copy(state: Path, app: Path, stage: str) -> Path:
    """Where a target keeps its copy of a pipeline's folder: one for each pipeline."""
    return state / "app" if app == paths.APP else state / "specimens" / read_topology(app, stage).name


def url_target(url: str, *, stage: str = LOCAL_STAGE, state_root: Path = paths.STATE, app: Path = paths.APP) -> Target:
    """The stage at an endpoint that dlqlab did not start, with dummy credentials: nobody's own are sent there.

    At an emulator of this project it shares what Chalice remembers with ``local_target``.

    Raises:
        UsageError: the URL is not one of an endpoint.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == -1 or not plain:
        raise UsageError(f"--target {url}: give {AWS}, or a URL such as http://127.0.0.1:4566 without a path")
    endpoint = f"{parts.scheme}://{parts.netloc}"
    state = state_root / f"target-{parts.hostname.replace(':', '.')}-{port or parts.scheme}"
    project_dir = _copy(state, app, stage)
    ours = lifecycle.find(port, state_root) if port and is_loopback_url(url) else None
    if ours:
        found = local_target(ours, stage=stage, app=app)
        state, project_dir = found.state_dir, found.project_dir
    environment = settings.client_environment(endpoint)
    return Target(endpoint, stage, project_dir, state, environment, TargetKind.URL, app)


def aws_target(*, stage: str | None, state_root: Path = paths.STATE, app: Path = paths.APP) -> Target:
    """The stage in the AWS account that the user's credentials are for; makes no request.

    Raises:
        UsageError: the stage is not given or is the local one, there is no such profile, no region is set, or the
            credentials are the emulator's.
    """
    if stage is None or stage == LOCAL_STAGE:
        raise UsageError(f"--target {AWS} needs a stage of its own: give --stage dev")
    try:
        session = boto3.Session()
    except ProfileNotFound as error:
        raise UsageError(
            f"--target {AWS}: {error}: set AWS_PROFILE to one of your configuration, or unset it"
        ) from error
    region = os.environ.get("AWS_REGION") or session.region_name  # boto3 reads AWS_DEFAULT_REGION only
    if not region:
        raise UsageError(f"--target {AWS}: no region is set: set AWS_REGION or a profile's region")
    if os.environ.get("AWS_ACCESS_KEY_ID") == settings.DUMMY_KEY:
        raise UsageError(f"--target {AWS}: this shell has the emulator's dummy credentials: use another one")
    environment = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    }
    # Chalice remembers what is where: one memory for each profile, since the account's number would cost a request.
    state = state_root / f"target-{AWS}-{session.profile_name}-{region}"
    return Target(None, stage, _copy(state, app, stage), state, environment, TargetKind.AWS, app)
