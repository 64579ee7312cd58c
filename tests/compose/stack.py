"""The services of docker-compose.yml as a test brings them up: with a project, an image, ports and runs of its own."""

import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dlqlab import paths
from dlqlab.contracts.scenario import Scenario
from dlqlab.emulator.core.listening import free_port
from dlqlab.waiting import wait_for

BUILD_DEADLINE_S = 1200.0
UP_DEADLINE_S = 240.0
SERVICES = ("localstack", "locust", "jupyter")
USER_ID = 1000
"""Who the services run as; not root, whoever runs the test."""
TOKEN = "a-token-of-the-test"


@cache
def compose_program() -> tuple[str, ...]:
    """``docker compose`` where the client has it, else the program of its first version."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ("docker", "compose") if plugin.returncode == 0 else ("docker-compose",)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One project of compose."""

    project: str
    runs: Path
    scenario: Scenario
    ports: Mapping[str, int] = field(default_factory=lambda: {name: free_port() for name in SERVICES})

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['localstack']}"

    def url(self, service: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def environment(self) -> dict[str, str]:
        """What docker-compose.yml reads; the load of the scenario goes to Locust as a person would give it."""
        load = self.scenario.to_dict()["load"] | {"seed": self.scenario.seed}
        return os.environ | {
            "COMPOSE_DOCKER_CLI_BUILD": "0",  # the first version's: build by the engine, without the client's plug-ins
            "DLQLAB_IMAGE": f"{self.project}-image",
            "DLQLAB_LAB_PORT": str(self.ports["jupyter"]),
            "DLQLAB_LOAD": json.dumps(load),
            "DLQLAB_PORT": str(self.ports["localstack"]),
            "DLQLAB_RUNS": str(self.runs),
            "DLQLAB_GID": str(USER_ID),
            "DLQLAB_UID": str(USER_ID),
            "DLQLAB_WEB_PORT": str(self.ports["locust"]),
            "JUPYTER_TOKEN": TOKEN,
        }

    def compose(self, *arguments: str, deadline_s: float) -> str:
        """Run compose on this project; returns what it printed."""
        command = [*compose_program(), "--file", "docker-compose.yml", "--project-name", self.project, *arguments]
        done = subprocess.run(
            command,
            cwd=paths.ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline_s,
            check=False,
        )
        assert 0 == done.returncode, f"{' '.join(command)}:\n{done.stdout}{done.stderr}\n{self._logs()}"
        return done.stdout

    def up(self) -> None:
        """Build, start, and wait until every service is healthy."""
        self.runs.mkdir(exist_ok=True)
        os.chown(self.runs, USER_ID, USER_ID)
        self.compose("build", "localstack", deadline_s=BUILD_DEADLINE_S)
        self.compose("up", "--detach", deadline_s=UP_DEADLINE_S)
        wait_for("healthy services", self._are_healthy, deadline_s=UP_DEADLINE_S, interval_s=1)

    def down(self) -> None:
        """Remove all that ``up`` made but the image, and what deploying to it left in the checkout."""
        self.compose("down", "--volumes", deadline_s=120)
        shutil.rmtree(paths.STATE / f"target-127.0.0.1-{self.ports['localstack']}", ignore_errors=True)

    def container(self, service: str) -> dict[str, Any]:
        """What the engine says about a service's container."""
        found = docker("ps", "--all", "--quiet", *self._filters(), "--filter", f"label={_SERVICE}={service}")
        described = json.loads(docker("inspect", *found.split()))
        assert 1 == len(described), described
        return dict(described[0])

    def leftovers(self) -> list[str]:
        """Containers, networks and volumes of the project that are there."""
        kinds = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
        return [line for kind in kinds for line in docker(*kind, "--quiet", *self._filters()).split()]

    def execute(self, service: str, *command: str, deadline_s: float = 60) -> str:
        """Run a command in a service's container; returns what it printed, errors too."""
        done = subprocess.run(
            ["docker", "exec", self.container(service)["Id"], *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=deadline_s,
            check=False,
        )
        return done.stdout

    def swarm(self, api_url: str) -> None:
        """Start the load on Locust's page, as a person does by its form, and wait for its end."""
        form = {"user_count": self.scenario.load.users, "spawn_rate": self.scenario.load.users, "host": api_url}
        answer = get_json(self.url("locust", "/swarm"), urllib.parse.urlencode(form).encode())
        assert answer["success"], answer

        def probe() -> tuple[bool, Any]:
            stats = get_json(self.url("locust", "/stats/requests"))
            return stats["state"] == "stopped", stats["state"]

        wait_for("the load's end", probe, deadline_s=self.scenario.load.duration_s + 60, interval_s=0.5)

    def _are_healthy(self) -> tuple[bool, Any]:
        states = {name: self.container(name)["State"] for name in SERVICES}
        dead = [name for name, state in states.items() if not state["Running"]]
        assert not dead, f"{dead} ended:\n{self._logs()}"
        health = {name: state["Health"]["Status"] for name, state in states.items()}
        return set(health.values()) == {"healthy"}, health

    def _filters(self) -> tuple[str, str]:
        return "--filter", f"label=com.docker.compose.project={self.project}"

    def _logs(self) -> str:
        command = [*compose_program(), "--project-name", self.project, "logs", "--tail", "30"]
        done = subprocess.run(
            command, cwd=paths.ROOT, env=self.environment(), capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout


_SERVICE = "com.docker.compose.service"


def docker(*arguments: str) -> str:
    """Run the engine's client; returns what it printed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert 0 == done.returncode, f"docker {' '.join(arguments)}:\n{done.stderr}"
    return done.stdout


def get_json(url: str, data: bytes | None = None) -> dict[str, Any]:
    """The JSON object that the URL answers with; a POST where there is data."""
    with urllib.request.urlopen(url, data, timeout=30) as response:
        return dict(json.load(response))
