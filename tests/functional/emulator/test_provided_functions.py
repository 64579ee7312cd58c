"""Functions that bring a ``bootstrap`` along, in Lambda's file system and in the machine's: what AWS promises."""

import json
import os
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dlqlab.emulator.runtime import filesystem
from dlqlab.emulator.runtime.inits import InitError, InitPhase
from dlqlab.emulator.runtime.programs import Provided
from dlqlab.waiting import wait_for
from tests.support.functions import FunctionFactory, ask, invoke, texts

SHELL = """\
#!/bin/sh
set -eu
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  head="$(mktemp)"
  event="$(curl -sS -D "$head" "$API/invocation/next")"
  id="$(grep -Fi Lambda-Runtime-Aws-Request-Id "$head" | tr -d '[:space:]' | cut -d: -f2)"
  echo "got $event"
  case "$event" in
    *exit*) exit 3 ;;
    *kill*) kill -SEGV $$ ;;
    *error*) curl -sS -X POST "$API/invocation/$id/error" -d '{"errorType": "Own", "errorMessage": "no luck"}' ;;
    *) curl -sS -X POST "$API/invocation/$id/response" -d "{\\"pid\\": $$, \\"pwd\\": \\"$PWD\\",
      \\"handler\\": \\"$_HANDLER\\", \\"root\\": \\"$LAMBDA_TASK_ROOT\\",
      \\"env\\": \\"${AWS_EXECUTION_ENV-none}\\"}" ;;
  esac > /dev/null
done
"""

RAW = f"""\
#!{os.path.realpath(sys.executable)}
import os, socket, time
HOST, PORT = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
INVOCATION = '/2018-06-01/runtime/invocation'
def send(request):
    connection = socket.create_connection((HOST, int(PORT)))
    connection.sendall(request.replace('|', chr(13) + chr(10)).encode())
    return connection
def ask():
    return send(f'GET {{INVOCATION}}/next HTTP/1.1||')
def answer(asking):
    request_id = asking.recv(65536).decode().split('Aws-Request-Id: ')[1].split()[0]
    pid = str(os.getpid())
    send(f'POST {{INVOCATION}}/{{request_id}}/response HTTP/1.1|Content-Length: {{len(pid)}}||{{pid}}').recv(65536)
"""
HANGS_UP_AND_ENDS = f"""{RAW}
answer(ask())
ask().shutdown(socket.SHUT_RDWR)
time.sleep(0.05)
"""
HANGS_UP_AND_READS = f"""{RAW}
while True:
    asking = ask()
    asking.shutdown(socket.SHUT_WR)
    answer(asking)
"""

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the bootstrap here needs curl")


@pytest.fixture(params=["lambda", "machine"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionFactory]:
    """Functions in either file system."""
    (tmp_path / "base").mkdir()
    trouble = filesystem.trouble(Provided(), tmp_path / "base", tmp_path / "tmp")
    if request.param == "lambda" and trouble:
        pytest.skip(f"no file system of their own for functions here: {trouble}")
    reason = None if request.param == "lambda" else "the test wants it so"
    monkeypatch.setattr(filesystem, "trouble", lambda *_args: reason)
    factory = FunctionFactory(tmp_path, request.param == "lambda", [])
    yield factory
    for environment in factory.made:
        environment.stop()


def test_bootstrap_answers_and_is_replaced_when_it_ends(make: FunctionFactory) -> None:
    """Results and errors are its own; its exit status and signal are told as Lambda does."""
    environment = make(SHELL, main="bootstrap", program=Provided(), base=make.folder / "base")
    first = invoke(environment)
    failed = ask(environment, {"do": "error"})
    second = invoke(environment)
    exited = ask(environment, {"do": "exit"})
    killed = ask(environment, {"do": "kill"})
    third = ask(environment)

    root = "/var/task" if make.is_isolated else first["root"]
    assert (root, root, "app.handler", "none") == (first["root"], first["pwd"], first["handler"], first["env"])
    assert ({"errorType": "Own", "errorMessage": "no luck"}, True) == (json.loads(failed.payload), failed.is_error)
    assert 'got {"do": "error"}' in texts(failed)
    assert first["pid"] == second["pid"] != json.loads(third.payload)["pid"]
    assert "exit status 3" in json.loads(exited.payload)["errorMessage"]
    assert "signal: segmentation fault" in json.loads(killed.payload)["errorMessage"]
    assert 0 < third.memory_mb < 20


def _elf_for_another_machine() -> bytes:
    machine = 183 if os.uname().machine == "x86_64" else 62
    return struct.pack("<4sBBBB8xHHI", b"\x7fELF", 2, 1, 1, 0, 2, machine, 1) + bytes(100)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        ("not executable", "fork/exec /var/task/bootstrap: permission denied"),
        ("foreign", "fork/exec /var/task/bootstrap: exec format error (it is built for "),
        ("no interpreter", "fork/exec /var/task/bootstrap: no such file or directory"),
    ],
)
def test_bootstrap_that_cannot_run_is_an_invalid_entrypoint(make: FunctionFactory, kind: str, said: str) -> None:
    """With Lambda's type and text."""
    main = "other" if kind == "missing" else "bootstrap"
    environment = make("#!/no/such/interpreter\n", main=main, program=Provided(), base=make.folder / "base")
    path = environment._function.task_root / main
    if kind == "not executable":
        path.chmod(0o644)
    elif kind == "foreign":
        path.write_bytes(_elf_for_another_machine())
    with pytest.raises(InitError) as caught:
        environment.start()
    document = json.loads(caught.value.payload)

    assert ("Runtime.InvalidEntrypoint", said) == (document["errorType"], document["errorMessage"][: len(said)])


def test_bootstrap_of_a_layer_serves(make: FunctionFactory, tmp_path: Path) -> None:
    """Where the bundle has none."""
    layer = tmp_path / "opt" / "bootstrap"
    layer.parent.mkdir()
    layer.write_text(SHELL)
    layer.chmod(0o755)
    environment = make("", main="data", program=Provided(), base=make.folder / "base", opt_root=layer.parent)

    assert "app.handler" == invoke(environment)["handler"]


def test_process_ends_with_its_emulator(make: FunctionFactory) -> None:
    """With all that it started, though it knows nothing of lifelines."""
    environment = make(SHELL, main="bootstrap", program=Provided(), base=make.folder / "base")
    environment.start()
    read_fd, write_fd = os.pipe()
    environment._starter.lifeline.read_fd, old = read_fd, environment._starter.lifeline.read_fd
    try:
        environment._end_process()
        environment._init(InitPhase("init"))
    finally:
        environment._starter.lifeline.read_fd = old
        os.close(read_fd)
    started = psutil.Process(environment.pid).children(recursive=True)
    os.close(write_fd)

    assert started
    wait_for("the end of all", lambda: (not any(map(is_running, started)), started), deadline_s=10)


def test_process_that_is_about_to_end_is_replaced(make: FunctionFactory) -> None:
    """Its connection closes a moment before its end shows: it sees no more invocation."""
    environment = make(HANGS_UP_AND_ENDS, main="bootstrap", program=Provided(), base=make.folder / "base")
    before = invoke(environment)
    assert environment._asks()
    asking = environment._asking
    assert asking is not None
    wait_for("its hanging up", lambda: (environment._api.has_hung_up(asking), before), deadline_s=30, interval_s=0.001)

    assert before != invoke(environment)


def test_runtime_that_sends_no_more_but_reads_is_kept(make: FunctionFactory) -> None:
    """Some clients close their half of the connection once they have asked."""
    environment = make(HANGS_UP_AND_READS, main="bootstrap", program=Provided(), base=make.folder / "base")

    assert 1 == len({invoke(environment) for _ in range(3)})


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
