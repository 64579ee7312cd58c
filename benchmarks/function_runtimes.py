"""What an init, an invocation and a process cost in each runtime, beside Python's, in the emulator's own environments.

    python -m benchmarks.function_runtimes [--quick]

Each runtime gets the same handler, which returns the number of its records, and the same batch of 10. Rounds go through
the runtimes in turn, each with a new process: its init, then invocations one after another. Prints medians and the 99th
percentile in ms of the clock as seen by the emulator, the peak of resident memory, and the ratio of the median
invocation to Python's. The ``bootstrap`` is a shell script with two calls of curl an invocation: what it costs is the
start of curl. Also written as JSON to .dlqlab/benchmarks/function_runtimes.json.
"""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dlqlab.emulator.runtime import filesystem
from dlqlab.emulator.runtime.environment import Environment
from dlqlab.emulator.runtime.node.find import VERSIONS, find
from dlqlab.emulator.runtime.process import Lifeline
from dlqlab.emulator.runtime.programs import Provided, title
from dlqlab.emulator.runtime.serving import Served, served
from dlqlab.emulator.runtime.starting import Function

OUTPUT = Path(__file__).parents[1] / ".dlqlab" / "benchmarks" / "function_runtimes.json"
ROUNDS, INVOCATIONS = 5, 2000
QUICK_ROUNDS, QUICK_INVOCATIONS = 2, 200
RECORD = {"messageId": "0", "body": json.dumps({"taskId": "a-1", "payload": "x" * 200}), "attributes": {}}
EVENT = json.dumps({"Records": [RECORD] * 10}).encode()
PYTHON = "def handler(event, context):\n    return len(event['Records'])\n"
NODE = "exports.handler = async (event) => event.Records.length;\n"
SHELL = """\
#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  curl -sS -D /tmp/head -o /tmp/event "$API/next"
  while IFS=': ' read -r name value; do
    case "$name" in [Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d) id="${value%?}" ;; esac
  done < /tmp/head
  curl -sS -o /dev/null "$API/$id/response" -d 10
done
"""
VARIABLES = {
    f"AWS_LAMBDA_{name}": "1"
    for name in ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
}
LIFELINE = Lifeline()


@dataclass
class Measured:
    """Of one runtime: ms of each init and each invocation, and the largest memory in MB."""

    inits_ms: list[float] = field(default_factory=list)
    invocations_ms: list[float] = field(default_factory=list)
    memory_mb: int = 0

    def row(self, baseline_ms: float) -> dict[str, float]:
        median = statistics.median(self.invocations_ms)
        return {
            "init ms": round(statistics.median(self.inits_ms), 1),
            "invoke ms": round(median, 3),
            "p99 ms": round(statistics.quantiles(self.invocations_ms, n=100)[98], 3),
            "memory MB": self.memory_mb,
            "beside Python": round(median / baseline_ms, 2),
        }


def runtimes(state: Path) -> Iterator[tuple[Served, str, str]]:
    """What this machine serves, with the name and text of its code."""
    yield served("python3.13", (), state), "app.py", PYTHON
    for major in VERSIONS:
        if find(major) is not None:
            yield served(f"nodejs{major}.x", (), state), "app.js", NODE
    if shutil.which("curl"):
        yield served("provided.al2023", (), state), "bootstrap", SHELL


def measure(one: Served, code: Path, state: Path, invocations: int, into: Measured) -> None:
    """One process from its init to its end."""
    function = Function(
        handler="app.handler",
        version="$LATEST",
        timeout_s=20,
        memory_mb=256,
        task_root=code,
        variables=VARIABLES,
        program=one.program,
    )
    environment = Environment(function, base=one.base, scratch=state / "tmp", lifeline=LIFELINE)
    try:
        environment.start()
        into.inits_ms.append(environment.init_ms or 0.0)
        few = invocations // 10 if isinstance(one.program, Provided) else invocations
        for number in range(few):
            result = environment.invoke(request_id=f"r-{number}", payload=EVENT, arn="arn", trace_id="Root=1")
            if result.payload != b"10":
                raise SystemExit(f"{title(one.program)} answered {result.payload.decode()}")
            into.invocations_ms.append(result.duration_s * 1000)
        into.memory_mb = max(into.memory_mb, result.memory_mb)
    finally:
        environment.stop()


def main() -> None:
    is_quick = "--quick" in sys.argv[1:]
    rounds, invocations = (QUICK_ROUNDS, QUICK_INVOCATIONS) if is_quick else (ROUNDS, INVOCATIONS)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        found = list(runtimes(state))
        measured = {title(one.program): Measured() for one, _, _ in found}
        for number in range(rounds):
            for one, name, text in found:
                code = state / f"code-{number}-{name}"
                code.mkdir(exist_ok=True)
                (code / name).write_text(text)
                (code / name).chmod(0o755)
                measure(one, code, state, invocations, measured[title(one.program)])
        files = filesystem.trouble(found[0][0].program, found[0][0].base, state / "tmp") or "Lambda's"
    baseline = statistics.median(next(iter(measured.values())).invocations_ms)
    rows = {name: one.row(baseline) for name, one in measured.items()}
    print(f"file system of functions: {files}")
    print("".join(f"{head:>16}" for head in ("", *next(iter(rows.values())))))
    for name, row in rows.items():
        print("".join(f"{cell:>16}" for cell in (name, *row.values())))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
