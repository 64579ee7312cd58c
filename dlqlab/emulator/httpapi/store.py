"""What an HTTP API consists of, and what each of its stages serves. No I/O.

An item is a mapping with the members of AWS's API reference ("Amazon API Gateway Version 2 API Reference"). An item is
replaced, never changed, so that what was deployed stays as it was.
"""

import random
import string
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from dlqlab.emulator.httpapi.routing import Table

Item = Mapping[str, Any]
_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Configuration:
    """What a deployment serves."""

    routes: Mapping[str, Item] = field(default_factory=dict)
    integrations: Mapping[str, Item] = field(default_factory=dict)
    authorizers: Mapping[str, Item] = field(default_factory=dict)
    cors: Item | None = None

    @cached_property
    def table(self) -> Table:
        return Table(route["RouteKey"] for route in self.routes.values())

    @cached_property
    def by_key(self) -> Mapping[str, Item]:
        return {route["RouteKey"]: route for route in self.routes.values()}


@dataclass(kw_only=True)
class HttpApi:
    """One API, its current state and its deployments."""

    account_id: str
    region: str
    item: Item
    routes: dict[str, Item] = field(default_factory=dict)
    integrations: dict[str, Item] = field(default_factory=dict)
    authorizers: dict[str, Item] = field(default_factory=dict)
    stages: dict[str, Item] = field(default_factory=dict)
    deployments: dict[str, Item] = field(default_factory=dict)
    _served: dict[str, Configuration] = field(default_factory=dict)
    """By deployment."""
    _is_held: bool = False

    @property
    def id(self) -> str:
        return str(self.item["ApiId"])

    @property
    def arn(self) -> str:
        return f"arn:aws:apigateway:{self.region}::/apis/{self.id}"

    def deploy(self, *, is_automatic: bool, description: str | None = None) -> str:
        """Make a deployment of the current state; returns its id."""
        deployment_id = new_id()
        self._served[deployment_id] = Configuration(
            dict(self.routes), dict(self.integrations), dict(self.authorizers), self.item.get("CorsConfiguration")
        )
        self.deployments[deployment_id] = {
            "DeploymentId": deployment_id,
            "AutoDeployed": is_automatic,
            "CreatedDate": now(),
            "DeploymentStatus": "DEPLOYED",
            **({"Description": description} if description else {}),
        }
        return deployment_id

    def changed(self) -> None:
        """Stages with AutoDeploy serve the current state from now on."""
        if self._is_held:
            return
        automatic = [name for name, stage in self.stages.items() if stage.get("AutoDeploy")]
        if not automatic:
            return
        replaced = {self.stages[name].get("DeploymentId") for name in automatic}
        deployment_id = self.deploy(is_automatic=True)
        for name in automatic:
            self.stages[name] = {**self.stages[name], "DeploymentId": deployment_id, "LastUpdatedDate": now()}
        used = {stage.get("DeploymentId") for stage in self.stages.values()}
        for old in replaced - used:
            if old in self.deployments and self.deployments[old]["AutoDeployed"]:
                self.forget(old)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stages see several changes as one."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            self.changed()

    def forget(self, deployment_id: str) -> None:
        del self.deployments[deployment_id], self._served[deployment_id]

    def serves(self, stage: str) -> Configuration | None:
        """What the stage serves; None where nothing is deployed to it."""
        while (item := self.stages.get(stage)) is not None:
            found = self._served.get(item.get("DeploymentId", ""))
            if found is not None or self.stages.get(stage) is item:  # else it was deployed to in between
                return found
        return None


class Store:
    """All HTTP APIs, by their ids."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.apis: dict[str, HttpApi] = {}

    def find(self, api_id: str) -> HttpApi | None:
        return self.apis.get(api_id.lower())


STORE = Store()


def new_id(length: int = 10) -> str:
    """Looks like AWS's."""
    return "".join(random.choices(_LETTERS, k=length))  # noqa: S311  (an id, not a secret)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
