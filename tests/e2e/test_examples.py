"""Each example as its owner would run it: adopted, deployed by its own tool, loaded, and judged valid."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dlqlab import paths
from tests.support import example_tools
from tests.support.command import dlqlab_in
from tests.support.service_catalog import give_service_catalog

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

EXAMPLES = paths.BUNDLE / "examples"
TASKS = 40
RUN_S = 300


@dataclass(frozen=True)
class Example:
    """A copy of an example's folder, and what its owner has on PATH."""

    folder: Path
    programs: tuple[Path, ...]

    def dlqlab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        places = [*map(str, self.programs), str(Path(sys.executable).parent), os.environ["PATH"]]
        return dlqlab_in(self.folder, *arguments, timeout_s=RUN_S, environment={"PATH": os.pathsep.join(places)})

    def run(self, *, rate_per_s: float = 10, with_page: bool = False) -> dict[str, str]:
        """Adopt where it has no project file, and run: the words of each check."""
        adopted = self.dlqlab("adopt") if not (self.folder / "dlqlab.toml").exists() else None
        assert adopted is None or adopted.returncode == 0, adopted.stderr
        self._load_less(rate_per_s)
        done = self.dlqlab("run", "--port", "auto", *([] if with_page else ["--no-page"]))
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        return dict(re.findall(r"^✓ (\w+) +(.+)$", said, re.MULTILINE))

    def _load_less(self, rate_per_s: float) -> None:
        file = self.folder / "dlqlab.toml"
        text = re.sub(r"\n\[load\]\n(?:.+\n)*", "\n", file.read_text(encoding="utf-8"))
        load = f"tasks = {TASKS}\nrate_per_s = {rate_per_s}\nduration_s = {2 * TASKS / rate_per_s}\n"
        file.write_text(f"{text}\n[load]\n{load}", encoding="utf-8")


def example(tmp_path: Path, name: str, *programs: Path, modules: Path | None = None) -> Example:
    """A copy in a folder of its own; ``modules`` is its ``node_modules``."""
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("node_modules", ".aws-sam", "cdk.out"))
    if modules:
        (folder / "node_modules").symlink_to(modules)
    give_service_catalog(folder)
    return Example(folder, programs)


def test_cloudformation(tmp_path: Path) -> None:
    own = example(tmp_path, "cloudformation")
    checks = own.run(with_page=True)

    assert f"{TASKS} messages entered, 0 lost" in checks["messages"]
    assert "Valid" in (own.folder / "runs" / "latest" / "report.html").read_text(encoding="utf-8")


def test_own_runtime_in_shell(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not there, with which the bootstrap speaks the runtime API")
    checks = example(tmp_path, "provided").run()

    assert f"{TASKS} messages entered, 0 lost; {TASKS} done" in checks["messages"]


@pytest.mark.tools
def test_serverless_in_typescript(tmp_path: Path) -> None:
    modules = example_tools.node_modules(EXAMPLES / "serverless-typescript" / "package.json")
    checks = example(tmp_path, "serverless-typescript", modules=modules).run()

    assert f"{TASKS} requests accepted, 0 without a message" in checks["accepted"]
    assert " 0 lost" in checks["messages"]


@pytest.mark.tools
def test_sam_in_python(tmp_path: Path) -> None:
    python = example_tools.python("3.12")
    sam = example_tools.environment(example_tools.SAM)
    checks = example(tmp_path, "sam-python", sam, python).run()

    assert f"{TASKS} messages entered, 0 lost" in checks["messages"]


@pytest.mark.tools
def test_sam_in_typescript(tmp_path: Path) -> None:
    modules = example_tools.node_modules(EXAMPLES / "sam-typescript" / "package.json")
    sam = example_tools.environment(example_tools.SAM)
    checks = example(tmp_path, "sam-typescript", sam, modules / ".bin", modules=modules).run()

    assert f"{TASKS} messages entered, 0 lost" in checks["messages"]


@pytest.mark.tools
def test_cdk_in_python(tmp_path: Path) -> None:
    cdk = example_tools.node_modules(EXAMPLES / "cdk-typescript" / "package.json") / ".bin"
    wanted = (EXAMPLES / "cdk-python" / "requirements.txt").read_text(encoding="utf-8").split()
    checks = example(tmp_path, "cdk-python", example_tools.environment(*wanted), cdk).run()

    assert f"{2 * TASKS} messages entered, 0 lost" in checks["messages"]


@pytest.mark.tools
def test_cdk_in_typescript(tmp_path: Path) -> None:
    modules = example_tools.node_modules(EXAMPLES / "cdk-typescript" / "package.json")
    checks = example(tmp_path, "cdk-typescript", modules=modules).run()

    assert f"{TASKS} messages entered, 0 lost; {TASKS} done" in checks["messages"]
    assert "no FIFO queue" not in checks["order"]


@pytest.mark.tools
def test_schedule_by_sam(tmp_path: Path) -> None:
    """Beside the load's messages those of the schedule, which fires every minute, and so while the load lasts."""
    sam = example_tools.environment(example_tools.SAM)
    checks = example(tmp_path, "sam-schedule", sam).run(rate_per_s=TASKS / 66)

    entered = re.match(r"(\d+) messages entered, 0 lost", checks["messages"])
    assert entered is not None, checks["messages"]
    assert TASKS < int(entered[1]) <= TASKS + 5


@pytest.mark.tools
def test_dynamodb_stream_by_sam(tmp_path: Path) -> None:
    """Each request that is accepted is an item, and each item a message, by way of the stream."""
    sam = example_tools.environment(example_tools.SAM)
    checks = example(tmp_path, "sam-dynamodb-stream", sam).run()

    assert f"{TASKS} requests accepted, 0 without a message" in checks["accepted"]
    assert f"{TASKS} messages entered, 0 lost" in checks["messages"]


@pytest.mark.tools
def test_serverless_with_http_api(tmp_path: Path) -> None:
    modules = example_tools.node_modules(EXAMPLES / "serverless-typescript" / "package.json")  # has all of this one's
    checks = example(tmp_path, "serverless-http-api", modules=modules).run()

    assert f"{TASKS} requests accepted, 0 without a message" in checks["accepted"]
    assert " 0 lost" in checks["messages"]


@pytest.mark.tools
def test_chalice(tmp_path: Path) -> None:
    checks = example(tmp_path, "chalice").run()

    assert f"{TASKS} requests accepted, 0 without a message" in checks["accepted"]
    assert " 0 lost" in checks["messages"]


@pytest.mark.tools
def test_sam_in_go(tmp_path: Path) -> None:
    """Compiled by its own toolchain, run as the binary that it is."""
    sam, go = example_tools.environment(example_tools.SAM), example_tools.environment(example_tools.GO)
    checks = example(tmp_path, "sam-go", sam, go).run()

    assert f"{TASKS} messages entered, 0 lost" in checks["messages"]
