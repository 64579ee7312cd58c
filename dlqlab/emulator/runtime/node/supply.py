"""The folder that a Node.js function finds as /var/runtime: AWS's client, our transport for it, and the AWS SDK."""

import functools
import hashlib
import shutil
from pathlib import Path

from dlqlab.emulator.runtime.caches import filled
from dlqlab.emulator.runtime.node import fetch
from dlqlab.emulator.runtime.node.find import Node
from dlqlab.emulator.runtime.node.sdk_imports import imported

HERE = Path(__file__).parent
NAMES = "names.cjs"
"""Loaded before a function's code where it is there: what the names inside functions reach."""


@functools.cache
def runtime_folder(node: Node, state: Path, task: Path, opt: Path | None) -> Path:
    """The folder for a bundle with its layers, one for all that import the same of the SDK.

    Raises:
        fetch.FetchError: something for it cannot be fetched.
    """
    modules = fetch.sdk(node, imported(path for path in (task, opt) if path is not None))
    return _folder(node, state, modules)


def bare(node: Node, state: Path) -> Path:
    """The folder for a bundle that imports nothing of the SDK.

    Raises:
        fetch.FetchError: AWS's client cannot be fetched.
    """
    return _folder(node, state, None)


def _folder(node: Node, state: Path, modules: Path | None) -> Path:
    client = fetch.runtime_client(node)
    scripts = [*sorted(HERE.glob("*.cjs")), client / "index.mjs"]
    key = hashlib.sha256(b"".join(script.read_bytes() for script in scripts)).hexdigest()[:8]
    folder = state / f"lambda-node-{client.name}-{key}-{modules.parent.name if modules else 'bare'}"

    def fill(new: Path) -> None:
        for script in scripts:
            shutil.copy(script, new)  # not a link, by whose target Node.js would name it in traces
        if modules:
            (new / "node_modules").symlink_to(modules)

    return filled(folder, fill)
