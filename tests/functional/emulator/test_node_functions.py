"""Node.js functions in processes of their own, in Lambda's file system and in the machine's: what AWS promises."""

import base64
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from dlqlab.emulator.runtime import filesystem
from dlqlab.emulator.runtime.environment import Environment
from dlqlab.emulator.runtime.inbox import PAYLOAD_LIMIT_BYTES
from dlqlab.emulator.runtime.inits import InitError, InitPhase
from dlqlab.emulator.runtime.node import fetch, supply
from dlqlab.emulator.runtime.node.find import Node, find
from tests.support.functions import FunctionFactory, ask, invoke, texts

ALL = """
exports.handler = async (event, context) => {
  switch (event.do) {
    case 'throw': throw new TypeError('no luck');
    case 'exit': process.exit(7);
    case 'reject': Promise.reject(new Error('lost')); return new Promise(() => setTimeout(() => {}, 60000));
    case 'later': setTimeout(() => { throw new RangeError('too late'); }, 1); return new Promise(() => {});
    case 'wait': return new Promise((resolve) => setTimeout(resolve, 60000));
    case 'print': console.log('a\\nb', { n: 1 }); console.error('bad'); process.stdout.write('raw\\n'); return null;
    case 'large': return 'x'.repeat(event.size);
    case 'undefined': return undefined;
    default: return { pid: process.pid, ...event };
  }
};
"""


@pytest.fixture(scope="module")
def node() -> Node:
    """The machine's, or one that is fetched: before Node.js 24, from which on there are no callbacks."""
    try:
        found = next((one for major in (22, 20, 18) if (one := find(major))), None) or fetch.node_of(22)
        fetch.runtime_client(found)
    except fetch.FetchError as error:
        pytest.skip(f"what Node.js functions need cannot be had here: {error}")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all functions here."""
    return tmp_path_factory.mktemp("node-functions")


@pytest.fixture(params=["lambda", "machine"])
def make(
    request: pytest.FixtureRequest, node: Node, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator["NodeFunctions"]:
    """Functions in either file system."""
    trouble = filesystem.trouble(node, supply.bare(node, folder), folder / "tmp")
    if request.param == "lambda" and trouble:
        pytest.skip(f"no file system of their own for functions here: {trouble}")
    reason = None if request.param == "lambda" else "the test wants it so"
    monkeypatch.setattr(filesystem, "trouble", lambda *_args: reason)
    factory = FunctionFactory(folder, request.param == "lambda", [])
    yield NodeFunctions(factory, node)
    for environment in factory.made:
        environment.stop()


class NodeFunctions:
    """Makes Node.js functions from source text."""

    def __init__(self, factory: FunctionFactory, node: Node) -> None:
        self._factory, self._node = factory, node
        self.folder = factory.folder

    def __call__(
        self, source: str = ALL, *, main: str = "app.js", base: Path | None = None, **given: Any
    ) -> Environment:
        base = base or supply.bare(self._node, self.folder)
        return self._factory(source, main=main, program=self._node, base=base, **given)


def test_errors_are_the_functions_and_it_goes_on_or_is_replaced(make: NodeFunctions) -> None:
    """A thrown error leaves the process; an exit, a rejection or an exception that nobody handles replace it."""
    environment = make()
    first = invoke(environment)["pid"]
    thrown = ask(environment, {"do": "throw"})
    second = invoke(environment)["pid"]
    rejected = ask(environment, {"do": "reject"})
    third = invoke(environment)["pid"]
    uncaught = ask(environment, {"do": "later"})
    exited = ask(environment, {"do": "exit"})
    fourth = invoke(environment)["pid"]

    assert ("TypeError", "no luck") == _error(thrown.payload)
    assert "    at exports.handler (/var/task/app.js:4:25)" == json.loads(thrown.payload)["trace"][1]
    assert ("Runtime.UnhandledPromiseRejection", "Error: lost") == _error(rejected.payload)
    assert ("RangeError", "too late") == _error(uncaught.payload)
    assert _error(exited.payload) == (
        "Runtime.ExitError",
        "RequestId: r-1 Error: Runtime exited with error: exit status 7",
    )
    assert (first == second, len({second, third, fourth})) == (True, 3)


def _error(payload: bytes) -> tuple[str, str]:
    document = json.loads(payload)
    return document["errorType"], document["errorMessage"]


def test_console_has_lambdas_format(make: NodeFunctions) -> None:
    """Time, request and level before each message; a message of two lines is one event; stdout is as written."""
    lines = [text.split("\t") for text in texts(ask(make(), {"do": "print"}))[1:4]]

    assert [["r-1", "INFO", "a\nb { n: 1 }"], ["r-1", "ERROR", "bad"]] == [line[1:] for line in lines[:2]]
    assert ["raw"] == lines[2]


def test_timeout_ends_the_process(make: NodeFunctions) -> None:
    """And the next invocation has an init."""
    environment = make(timeout_s=1)
    first = invoke(environment)["pid"]
    late = ask(environment, {"do": "wait"})

    assert ("timeout", True) == (late.status, b"Task timed out after 1.00 seconds" in late.payload)
    assert first != invoke(environment)["pid"]


def test_results_as_large_as_allowed_pass_and_larger_ones_are_refused(make: NodeFunctions) -> None:
    """AWS's client for Node.js goes on after a refusal; nothing at all is ``null``."""
    environment = make()
    largest = ask(environment, {"do": "large", "size": PAYLOAD_LIMIT_BYTES - 2})
    refused = ask(environment, {"do": "large", "size": PAYLOAD_LIMIT_BYTES - 1})

    assert (PAYLOAD_LIMIT_BYTES, False) == (len(largest.payload), largest.is_error)
    assert "Function.ResponseSizeTooLarge" == json.loads(refused.payload)["errorType"]
    assert b"null" == ask(environment, {"do": "undefined"}).payload
    large = "grün 😀" * 300_000
    assert large == invoke(environment, {"text": large})["text"]


@pytest.mark.parametrize(
    ("main", "files", "source"),
    [
        ("app.mjs", {}, "import os from 'node:os';\nexport const handler = async () => typeof os.cpus;\n"),
        ("app.js", {"package.json": '{"type": "module"}'}, "export const handler = async () => 'function';\n"),
        ("app.cjs", {}, "exports.handler = async () => 'function';\n"),
        ("app.js", {}, "exports.handler = (event, context, callback) => callback(null, 'function');\n"),
        ("app.js", {}, "exports.handler = (event, context) => context.succeed('function');\n"),
        ("app.js", {}, "exports.handler = (event, context) => context.done(null, 'function');\n"),
        (
            "app.js",
            {},
            """
            exports.handler = (event, context, callback) => {
              context.callbackWaitsForEmptyEventLoop = false;
              setInterval(() => {}, 1000);
              callback(null, 'function');
            };
            """,
        ),
        (
            "app.js",
            {},
            """
            exports.handler = (event, context, callback) => {
              callback(null, 'function');
              setTimeout(() => console.log('waited for'), 20);
            };
            """,
        ),
    ],
)
def test_each_kind_of_handler_answers(make: NodeFunctions, main: str, files: dict[str, str], source: str) -> None:
    """CommonJS and ES modules; async, callback and context; with the event loop waited for and not."""
    environment = make(source, main=main, files=files)
    result = ask(environment)

    assert (b'"function"', False) == (result.payload, result.is_error)
    assert ("setTimeout" in source) == any("waited for" in text for text in texts(result))
    assert b'"function"' == ask(environment).payload


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("exports.other = 1;\n", ("Runtime.HandlerNotFound", "app.handler is undefined or not exported")),
        ("exports.handler = 1;\n", ("Runtime.HandlerNotFound", "app.handler is not a function")),
        ("exports.handler = (;\n", ("Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token ';'")),
        ("throw new Error('at init');\n", ("Error", "at init")),
        ("require('not-there');\n", ("Runtime.ImportModuleError", "Error: Cannot find module 'not-there'")),
        (
            "exports.handler = awslambda.streamifyResponse(async () => {});\n",
            ("Error", "awslambda.streamifyResponse: the emulator does not stream responses"),
        ),
    ],
)
def test_init_that_fails_says_why(make: NodeFunctions, source: str, error: tuple[str, str]) -> None:
    """With AWS's types and texts."""
    with pytest.raises(InitError) as caught:
        make(source).start()
    kind, text = _error(caught.value.payload)

    assert error == (kind, text[: len(error[1])])


def test_bundles_module_wins_over_the_runtimes_for_require_and_import(make: NodeFunctions, tmp_path: Path) -> None:
    """What lies in /var/runtime/node_modules and in a layer is found by both; the bundle's own comes first."""
    base = tmp_path / "base"
    base.mkdir()
    for script in supply.bare(make._node, make.folder).iterdir():
        (base / script.name).write_bytes(script.read_bytes())
    for root, given in ((base, ["sdk", "both"]), (tmp_path / "opt" / "nodejs", ["layered"])):
        for name in given:
            package = root / "node_modules" / "@aws-sdk" / name
            package.mkdir(parents=True)
            (package / "package.json").write_text('{"main": "i.js"}')
            (package / "i.js").write_text(f"exports.from = '{root.name}';\n")
    own = {
        "node_modules/@aws-sdk/both/package.json": "{}",
        "node_modules/@aws-sdk/both/index.js": "exports.from = 'own';",
    }
    names = ("sdk", "both", "layered")
    required = "".join(f"require('@aws-sdk/{name}').from, " for name in names)
    imported = "".join(f"import {name} from '@aws-sdk/{name}';\n" for name in names)
    commonjs = make(f"exports.handler = async () => [{required}];\n", files=own, base=base, opt_root=tmp_path / "opt")
    module = make(
        f"{imported}export const handler = async () => [{''.join(f'{name}.from, ' for name in names)}];\n",
        main="app.mjs",
        files=own,
        base=base,
        opt_root=tmp_path / "opt",
    )

    assert [["base", "own", "nodejs"]] * 2 == [invoke(commonjs), invoke(module)]


def test_wrapper_and_node_options_are_honoured(make: NodeFunctions) -> None:
    """The wrapper gets the start command; NODE_OPTIONS that limit the heap take the place of the memory's."""
    environment = make(
        "exports.handler = async () => [process.env.WRAPPED, process.env.NODE_OPTIONS, process.execArgv.join(' '),"
        " require('v8').getHeapStatistics().heap_size_limit];\n",
        files={"wrap.sh": '#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n'},
        variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap.sh", "NODE_OPTIONS": "--max-old-space-size=300"},
    )
    wrapped, options, arguments, heap_bytes = invoke(environment)

    assert ("yes", "--max-old-space-size=300") == (wrapped, options)
    assert re.fullmatch(r"--require \S+/names\.cjs", arguments)
    assert heap_bytes >= 300 * 2**20


def test_trace_of_a_bundle_with_source_maps_names_the_sources(make: NodeFunctions) -> None:
    """Where NODE_OPTIONS ask for it, as a TypeScript bundle's do."""
    given = {"version": 3, "sources": ["src/app.ts"], "names": [], "mappings": "AAUA"}
    source_map = base64.b64encode(json.dumps(given).encode()).decode()
    environment = make(
        "exports.handler = async () => { throw new Error('x'); };\n"
        f"//# sourceMappingURL=data:application/json;base64,{source_map}\n",
        variables={"NODE_OPTIONS": "--enable-source-maps"},
    )

    assert "/var/task/src/app.ts:11:1" in json.loads(ask(environment).payload)["trace"][1]


def test_heap_is_the_functions_memory(make: NodeFunctions) -> None:
    """What needs more ends as on AWS: with the process."""
    environment = make(
        "exports.handler = async () => { const a = []; for (;;) a.push(Array(1000).fill(a.length)); };\n"
    )
    result = ask(environment)

    assert "Runtime exited with error: signal: aborted" in _error(result.payload)[1]
    assert any("heap out of memory" in text for text in texts(result))


def test_process_ends_with_its_emulator(make: NodeFunctions) -> None:
    """Its lifeline is a pipe that only the emulator can close."""
    environment = make()
    environment.start()
    read_fd, write_fd = os.pipe()
    environment._starter.lifeline.read_fd, old = read_fd, environment._starter.lifeline.read_fd
    try:
        environment._end_process()
        environment._init(InitPhase("init"))
    finally:
        environment._starter.lifeline.read_fd = old
        os.close(read_fd)
    process = psutil.Process(environment.pid)
    os.close(write_fd)

    assert -signal.SIGKILL == environment._process.exit_code(10)  # type: ignore[union-attr]
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_node_24_runs_on_its_own_client(folder: Path) -> None:
    """Fetched where the machine lacks it; handlers that take a callback are refused as AWS refuses them."""
    try:
        node = find(24) or fetch.node_of(24)
        base = supply.bare(node, folder)
    except fetch.FetchError as error:
        pytest.skip(f"Node.js 24 cannot be had here: {error}")
    names = ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
    variables = {f"AWS_LAMBDA_{name}": "1" for name in names}
    factory = FunctionFactory(folder, is_isolated=True, made=[])
    old, environment = (
        factory(source, main="app.js", program=node, base=base, variables=variables)
        for source in ("exports.handler = (event, context, callback) => callback(null, 1);\n", ALL)
    )
    try:
        with pytest.raises(InitError) as caught:
            old.start()
        first = invoke(environment)["pid"]
        thrown = ask(environment, {"do": "throw"})
        second = invoke(environment)["pid"]
        rejected = ask(environment, {"do": "reject"})
        third = invoke(environment)["pid"]
    finally:
        environment.stop()
        old.stop()

    assert "Runtime.CallbackHandlerDeprecated" == _error(caught.value.payload)[0]
    assert ("TypeError", "no luck") == _error(thrown.payload)
    assert "Runtime exited with error: exit status 1" in _error(rejected.payload)[1]  # by Node.js itself
    assert (True, True) == (first == second, second != third)


def test_fetch_that_fails_says_what_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line; nothing is kept."""
    monkeypatch.setattr(fetch, "cache_root", lambda: tmp_path)
    program = tmp_path / "bin" / "node"
    npm = tmp_path / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for path, text in ((program, "#!/bin/sh\necho 'npm error ENOTFOUND' >&2\nexit 1\n"), (npm, "")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    program.chmod(0o755)
    with pytest.raises(fetch.FetchError) as caught:
        fetch.runtime_client(Node(version="20.0.0", executable=program))
    text = str(caught.value)

    assert text.startswith("aws-lambda-ric 3.3.0 could not be fetched (npm error ENOTFOUND); it is fetched once, into ")
    assert text.endswith("try again with the package registry in reach")
    assert [] == list((tmp_path / "aws-lambda-ric").iterdir())
