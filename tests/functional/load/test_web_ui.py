"""The locustfile by hand with Locust's web interface."""

import socket
import sys
import urllib.parse
import urllib.request
from pathlib import Path

from dlqlab.load.settings import LoadSettings
from dlqlab.load.starter import LOCUSTFILE, Child
from dlqlab.load.tasks import task_id
from dlqlab.waiting import wait_for
from tests.support.load.api_stub import ApiStub, api_stub
from tests.support.load.loads import scenario_with


class Page:
    """The web interface of one Locust process."""

    def __init__(self, port: int, log: Path) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._log = log

    def start(self, host: str) -> None:
        """Press Start with this host in the form."""
        form = urllib.parse.urlencode({"user_count": 4, "spawn_rate": 4, "host": host}).encode()
        with urllib.request.urlopen(self._base + "/swarm", data=form, timeout=10) as answer:
            answer.read()

    def wait_until_up(self) -> None:
        wait_for("the page", lambda: (self._answers(), self._log.read_text()), deadline_s=30)

    def wait_for_log(self, text: str, n: int) -> None:
        wait_for(text, lambda: (self._log.read_text().count(text) >= n, self._log.read_text()), deadline_s=30)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._base, timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def test_runs_go_on_with_the_next_ids_and_another_machine_gets_nothing(tmp_path: Path) -> None:
    """The page outlives its runs; a second run repeats no id; a host typed into the form is checked, too."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = LoadSettings(load=scenario_with(tasks=10).load, seed=7, run_id="r", ledger_dir=tmp_path / "ledger")
    log = tmp_path / "log"
    page = Page(port, log)

    with api_stub(lambda _: 202) as api, log.open("wb") as output:
        with Child(_command(port, api), settings.to_env(), output.fileno()):
            page.wait_until_up()
            page.start(api.url)
            page.wait_for_log("sent 10 of 10 tasks", 1)
            page.start(api.url)
            page.wait_for_log("sent 10 of 10 tasks", 2)
            page.start("http://192.0.2.1")
            page.wait_for_log("load goes to this machine only", 1)
        received = sorted(api.task_ids)

    assert [task_id(7, n) for n in range(20)] == received
    assert "sent 0 of 10 tasks" in log.read_text()


def _command(port: int, api: ApiStub) -> list[str]:
    return [
        *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", api.url),
        *("--web-host", "127.0.0.1", "--web-port", str(port)),
    ]
