"""Cold start of each function: what its init costs, in the emulator's own runtime, beside what the AWS SDK's would.

    python benchmarks/cold_start.py [ROUNDS]

Packages the app with Chalice and starts every function in an execution environment of its own, as the emulator does
(awslambdaric, isolated from this environment), round by round and in turn with the baselines:

    chalice             a handler that imports Chalice and nothing else
    chalice + botocore  the same with botocore's session, which an app with the AWS SDK's clients imports

Prints the median and the least of the Init Duration (ms of the clock, as in the REPORT line), the median of the CPU
time of init, which a busy machine changes less, and the ratio of CPU times to the second baseline. "first run" is the
first start of a bundle, as each is on AWS: its code is compiled. Later ones find the bytecode, which Lambda's read-only
file system never keeps. "eager clients" is the processor with both of its clients made in its init. The bundle's size
is printed too.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dlqlab.emulator.runtime.base import build_base
from dlqlab.emulator.runtime.environment import Environment
from dlqlab.emulator.runtime.process import Lifeline
from dlqlab.emulator.runtime.starting import Function

ROOT = Path(__file__).parents[1]
ROUNDS = 7
BASELINE = "chalice + botocore"
HANDLERS = {"api": "app.app", "processor": "app.processor", "monitor": "app.monitor", "sweeper": "app.sweeper"}
SOURCES = {
    "chalice": "import chalice\ndef handler(event, context): pass\n",
    BASELINE: "import chalice, botocore.session, botocore.config\ndef handler(event, context): pass\n",
    "eager clients": "import app\napp.services.dynamodb, app.services.sqs\nhandler = app.processor\n",
}


@dataclass(frozen=True)
class Start:
    """One cold start: ms of the clock and ms of CPU time until the runtime asks for its first invocation."""

    init_ms: float
    cpu_ms: float


def package(folder: Path) -> Path:
    """The app's bundle as Chalice makes it."""
    project = folder / "app"
    shutil.copytree(
        ROOT / "app", project, ignore=shutil.ignore_patterns("deployed", "deployments", "__pycache__", "venv")
    )
    program = Path(sys.executable).with_name("chalice")
    subprocess.run(
        [program, "package", "--stage", "local", "out"],
        cwd=project,
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
        capture_output=True,
    )
    return project / "out" / "deployment.zip"


def unpack(bundle: Path, folder: Path) -> Path:
    """A function's code folder, without bytecode."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    for name, source in SOURCES.items():
        (folder / f"{module_of(name)}.py").write_text(source)
    return folder


def module_of(name: str) -> str:
    return "start_" + "".join(letter if letter.isalnum() else "_" for letter in name)


def handlers() -> dict[str, str]:
    """What is measured, by name."""
    return {name: f"{module_of(name)}.handler" for name in SOURCES} | HANDLERS


def variables() -> Mapping[str, str]:
    config: dict[str, Any] = json.loads((ROOT / "app" / ".chalice" / "config.json").read_text())
    stage: dict[str, str] = config["stages"]["local"]["environment_variables"]
    aws = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    region = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    own: dict[str, str] = config["environment_variables"]
    return own | stage | aws | region


def cold_start(handler: str, code: Path, work: Path, lifeline: Lifeline) -> Start:
    """Start an environment and end it again."""
    function = Function(
        handler=handler, version="$LATEST", timeout_s=10, memory_mb=256, task_root=code, variables=variables()
    )
    environment = Environment(function, base=build_base(work / "base"), scratch=work, lifeline=lifeline)
    try:
        environment.start()
        times = psutil.Process(environment.pid).cpu_times()
        if environment.init_ms is None:
            raise SystemExit(f"{handler} has no init duration")
        return Start(environment.init_ms, (times.user + times.system) * 1000)
    finally:
        environment.stop()


def show(name: str, starts: list[Start], baseline: list[Start]) -> None:
    init_ms = statistics.median(start.init_ms for start in starts)
    cpu_ms = statistics.median(start.cpu_ms for start in starts)
    ratio = statistics.median(one.cpu_ms / base.cpu_ms for one, base in zip(starts, baseline, strict=True))
    least_ms = min(start.init_ms for start in starts)
    print(f"{name:<30} {init_ms:8.0f} {least_ms:8.0f} {cpu_ms:8.0f} {ratio:8.2f}")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    lifeline = Lifeline()
    with tempfile.TemporaryDirectory(prefix="dlqlab-cold-") as name:
        work = Path(name)
        bundle = package(work)
        print(f"bundle {bundle.stat().st_size / 1e6:.3f} MB; load average {os.getloadavg()[0]:.1f}; {rounds} rounds")
        first: dict[str, list[Start]] = {handler: [] for handler in handlers()}
        later: dict[str, list[Start]] = {handler: [] for handler in handlers()}
        for number in range(rounds):
            for what, handler in handlers().items():
                code = unpack(bundle, work / f"{number}-{module_of(what)}")
                first[what].append(cold_start(handler, code, work, lifeline))
                later[what].append(cold_start(handler, code, work, lifeline))
        print(f"{'':<30} {'init ms':>8} {'least':>8} {'CPU ms':>8} {'ratio':>8}")
        for what in handlers():
            show(f"{what}, first run", first[what], first[BASELINE])
        for what in handlers():
            show(f"{what}, later", later[what], later[BASELINE])


if __name__ == "__main__":
    main()
