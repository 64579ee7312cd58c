"""What a run directory says about how its run came to be."""

import importlib.metadata
import platform
import subprocess
import sys
from typing import Any

import dlqlab
from dlqlab import paths

PACKAGES = (
    "localstack-core", "moto-ext", "awslambdaric", "boto3", "chalice", "locust", "pandas", "matplotlib", "papermill",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of everything that could change a result."""
    return {
        "dlqlab": dlqlab.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def git_state() -> dict[str, Any]:
    """Commit of the checkout and whether files differ from it; nulls outside of git."""
    try:
        sha = _git("rev-parse", "HEAD")
        return {"sha": sha, "dirty": bool(_git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {"sha": None, "dirty": None}


def command_line() -> list[str]:
    """How the run was started, without the folder that the program lies in."""
    return ["dlqlab", *sys.argv[1:]]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
