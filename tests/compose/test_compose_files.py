"""What must hold of the compose files on every machine, with or without Docker."""

import re
from typing import Any

import yaml  # type: ignore[import-untyped]

from dlqlab import paths

OURS = (paths.ROOT / "docker-compose.yml").read_text()
OFFICIAL = (paths.ROOT / "docker-compose.official.yml").read_text()
VARIABLE = re.compile(r"\$\{(\w+)")


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads Compose's own tags as the values behind them."""


for _tag in ("!reset", "!override"):
    Loader.add_constructor(_tag, lambda loader, node: loader.construct_scalar(node) if node.value else None)


def services(text: str) -> dict[str, dict[str, Any]]:
    return dict(yaml.load(text, Loader)["services"])


def test_every_port_is_published_on_loopback() -> None:
    """An emulator that others can reach is a machine that others can run code on."""
    published = [port for text in (OURS, OFFICIAL) for one in services(text).values() for port in one.get("ports", [])]

    assert 3 == len(published)
    assert all(port.startswith("127.0.0.1:") for port in published), published


def test_no_service_of_ours_gets_the_engines_socket() -> None:
    """Whoever holds the socket is root on the host; only the vendor's image, which one has to ask for, gets it."""
    assert "docker.sock" not in OURS
    assert "docker.sock" in OFFICIAL


def test_services_of_ours_are_confined_and_healthy_before_others_start() -> None:
    """Each has limits, a health check, no capabilities and a read-only file system; clients wait for the emulator."""
    found = services(OURS)

    assert {"localstack", "locust", "jupyter"} == set(found)
    for name, service in found.items():
        assert service["read_only"], name
        assert ["ALL"] == service["cap_drop"], name
        assert {"mem_limit", "pids_limit", "healthcheck", "tmpfs"} <= set(service), name
    assert {"service_healthy"} == {
        found[name]["depends_on"]["localstack"]["condition"] for name in ("locust", "jupyter")
    }


def test_the_vendors_image_is_the_last_that_needs_no_account() -> None:
    """Later images, ``latest`` among them, do not start without a token."""
    assert "localstack/localstack:4.14.0" == services(OFFICIAL)["localstack"]["image"]


def test_every_variable_of_the_compose_files_is_documented() -> None:
    """The table in docs/compose.md is complete and has nothing else in it."""
    read = set(VARIABLE.findall(OURS + OFFICIAL)) | {"DLQLAB_LOAD"}  # which is passed on as it is
    documented = re.findall(r"^\| `([A-Z_]+)` \|", (paths.ROOT / "docs" / "compose.md").read_text(), re.MULTILINE)

    assert read == set(documented)
