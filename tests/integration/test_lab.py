"""JupyterLab by hand: ``make lab`` serves on this machine only, wants its token, and ends."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from dlqlab import paths
from dlqlab.waiting import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the running server says of itself: pid, port, token, url; it is stopped afterwards."""
    home = tmp_path_factory.mktemp("jupyter")
    log = home / "log"
    command = ["make", "--old-file=.venv/complete", "lab", "LAB=--no-browser --port 0 --allow-root"]
    # Nobody's own settings or running servers count.
    folders = {name: str(home / name) for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    with log.open("wb") as output:
        make = subprocess.Popen(
            command, cwd=paths.ROOT, env={**os.environ, **folders}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    server = wait_for("JupyterLab", lambda: _server(home / "JUPYTER_RUNTIME_DIR", log), deadline_s=120)
    yield server
    psutil.Process(server["pid"]).terminate()
    make.wait(60)


def _server(runtime: Path, log: Path) -> tuple[bool, dict[str, Any]]:
    files = list(runtime.glob("jpserver-*.json"))
    found = json.loads(files[0].read_text()) if files and files[0].stat().st_size else {}
    try:
        return bool(found) and _get(found, "api", token=True)[0] == 200, found
    except OSError:
        return False, {"log": log.read_text()}


def _get(server: dict[str, Any], path: str, *, token: bool) -> tuple[int, Any]:
    headers = {"Authorization": f"token {server['token']}"} if token else {}
    request = urllib.request.Request(f"{server['url']}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def test_lab_serves_its_api_to_who_has_the_token(lab: dict[str, Any]) -> None:
    """The notebooks are listed with the token and refused without it."""
    status, contents = _get(lab, "api/contents/notebooks", token=True)

    assert (200, 403) == (status, _get(lab, "api/contents/notebooks", token=False)[0])
    assert "run_report.ipynb" in [entry["name"] for entry in contents["content"]]
    assert len(lab["token"]) >= 32


def test_lab_listens_on_this_machine_only(lab: dict[str, Any]) -> None:
    """Nobody else can reach it, token or not."""
    connections = psutil.Process(lab["pid"]).net_connections("tcp")

    assert {"127.0.0.1"} == {found.laddr.ip for found in connections if found.status == psutil.CONN_LISTEN}
