"""What a command imports before it answers, in a process of its own."""

import importlib
import json
import subprocess
import sys

import pytest

from dlqlab import paths
from dlqlab.cli.declared import ACTIONS


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["run", "--help"], 0),
        (["run", "--no-such-option"], 3),
        (["run", "no-such-scenario"], 3),
        (["report", "no-such-run"], 3),
        (["what-if", "--rate", "many"], 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_help_and_wrong_usage_wait_for_no_import(arguments: list[str], code: int) -> None:
    """They are answered before anything is imported but the options: no library except click, no part of the lab."""
    program = (
        "import json, sys\nfrom dlqlab.cli import main\nsys.argv = ['dlqlab', *sys.argv[1:]]\n"
        "try:\n    main()\nfinally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    loaded = set(json.loads(done.stderr.splitlines()[-1]))

    assert code == done.returncode, done.stderr
    assert set() == loaded & {"rich", "pandas", "numpy", "boto3", "botocore", "numba", "matplotlib", "psutil"}
    assert {"cli", "contracts", "deploy", "emulator"} >= {name.split(".")[1] for name in loaded if _is_package(name)}


def _is_package(name: str) -> bool:
    return name.startswith("dlqlab.") and hasattr(importlib.import_module(name), "__path__")


def test_only_who_needs_a_library_waits_for_it() -> None:
    """What takes seconds to import is not imported by the action of a command that does without."""
    program = (
        "import importlib, json, sys\nloaded = {}\nfor name in sys.argv[1:]:\n"
        f"    importlib.import_module(f'{ACTIONS}.{{name}}')\n    loaded[name] = sorted(sys.modules)\n"
        "print(json.dumps(loaded))"
    )
    order = ["emulator", "dlq", "pipeline", "lint", "openapi", "logs", "run", "collect", "preflight", "plan", "judge"]
    done = subprocess.run([sys.executable, "-c", program, *order], capture_output=True, text=True, check=True)
    loaded = {name: set(modules) for name, modules in json.loads(done.stdout).items()}

    assert [] == [name for name in ("emulator",) if "boto3" in loaded[name]]
    assert [] == [name for name in ("dlq", "pipeline", "lint", "openapi") if "pandas" in loaded[name]]
    assert [] == [name for name in ("logs", "run", "collect", "preflight") if "scipy" in loaded[name]]
    assert [] == [name for name in order if loaded[name] & {"scipy.stats", "papermill"}]
    assert [] == [name for name in order if "numba" in loaded[name]]


def test_load_generator_starts_without_tables_and_clients_of_aws() -> None:
    """Each of its processes imports what the locustfile imports; half a second of a start and much memory otherwise."""
    source = (paths.LOADTEST / "locustfile.py").read_text(encoding="utf-8")
    ours = "\n".join(line for line in source.splitlines() if line.startswith("from dlqlab"))
    program = f"{ours}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))

    assert "dlqlab.load.senders" in loaded
    assert set() == loaded & {"pandas", "numpy", "boto3", "botocore"}
