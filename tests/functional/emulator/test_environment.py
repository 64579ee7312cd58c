"""Execution environments with real processes, in Lambda's file system and in the machine's: what AWS promises."""

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dlqlab.emulator.runtime import environment as environments
from dlqlab.emulator.runtime import filesystem
from dlqlab.emulator.runtime.base import UnsupportedPythonError, build_base
from dlqlab.emulator.runtime.environment import Environment
from dlqlab.emulator.runtime.inbox import PAYLOAD_LIMIT_BYTES
from dlqlab.emulator.runtime.inits import InitError, InitPhase
from dlqlab.emulator.runtime.interpreters import find, own
from dlqlab.waiting import wait_for
from tests.support.functions import FunctionFactory, ask, invoke, texts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all functions here."""
    return tmp_path_factory.mktemp("functions")


@pytest.fixture(scope="module")
def trouble(folder: Path) -> str | None:
    """Why this machine cannot give functions Lambda's file system."""
    return filesystem.trouble(own(), build_base(folder / "base"), folder / "tmp")


def factory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: str | None, *, is_isolated: bool
) -> Iterator[FunctionFactory]:
    """A factory of environments, which end with the test."""
    if is_isolated and trouble:
        pytest.skip(f"no file system of their own for functions here: {trouble}")
    reason = None if is_isolated else "the test wants it so"
    monkeypatch.setattr(filesystem, "trouble", lambda *_args: reason)
    made = FunctionFactory(folder, is_isolated, [])
    yield made
    for environment in made.made:
        environment.stop()


@pytest.fixture(params=["lambda", "machine"])
def make(
    request: pytest.FixtureRequest, folder: Path, trouble: str | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FunctionFactory]:
    """Functions in either file system."""
    yield from factory(folder, monkeypatch, trouble, is_isolated=request.param == "lambda")


@pytest.fixture
def isolated(folder: Path, trouble: str | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionFactory]:
    """Functions in Lambda's, for what only that shows."""
    yield from factory(folder, monkeypatch, trouble, is_isolated=True)


def test_code_lies_where_the_variables_say(make: FunctionFactory) -> None:
    """A file of the bundle is read by LAMBDA_TASK_ROOT, by PWD and by its name alone; /tmp is written."""
    environment = make(
        """
        import os, tempfile
        def handler(event, context):
            with tempfile.NamedTemporaryFile('w') as file:
                file.write('x')
            paths = [os.path.join(os.environ[name], 'data.txt') for name in ('LAMBDA_TASK_ROOT', 'PWD')]
            return [open(path).read() for path in [*paths, 'data.txt']]
        """,
        files={"data.txt": "here"},
    )

    assert ["here"] * 3 == invoke(environment)


def test_error_names_lambdas_paths(make: FunctionFactory) -> None:
    """In the answer's stack trace and in the log, whatever lies where."""
    environment = make(
        """
        import traceback
        def inner():
            raise ValueError('x')
        def handler(event, context):
            if event.get('caught'):
                try:
                    inner()
                except ValueError:
                    traceback.print_exc()
            else:
                inner()
        """
    )
    failed, caught = ask(environment), ask(environment, {"caught": True})

    assert b'File \\"/var/task/app.py\\", line 4, in inner' in failed.payload
    assert any('File "/var/task/app.py", line 4, in inner' in text for text in texts(caught))
    assert str(make.folder) not in failed.payload.decode() + "".join(texts(failed) + texts(caught))


ONCE = """
import os, time
if not os.path.exists('/tmp/once'):
    open('/tmp/once', 'w').close()
    print('first')
    {course}
time.sleep({slow_s})
def handler(event, context):
    return 'done'
"""


@pytest.mark.parametrize(
    ("course", "kind", "status"),
    [
        ("raise ValueError('not today')", "ValueError", "Status: error\tError Type: ValueError"),
        ("os._exit(3)", "Runtime.ExitError", "Status: error\tError Type: Runtime.ExitError"),
        ("time.sleep(60)", "Sandbox.Timedout", "Status: timeout"),
    ],
)
def test_init_that_fails_is_tried_again_by_its_invocation(
    isolated: FunctionFactory, monkeypatch: pytest.MonkeyPatch, course: str, kind: str, status: str
) -> None:
    """With the function's timeout for both; the log tells of the first, and the init counts as the invocation's."""
    monkeypatch.setattr(environments, "InitPhase", lambda name, limit_s=3.0: InitPhase(name, limit_s))
    environment = isolated(ONCE.format(course=course, slow_s=0.5), timeout_s=30)
    with pytest.raises(InitError) as caught:
        environment.start()
    result = ask(environment)
    lines = texts(result)
    (failed,) = (line for line in lines if line.startswith("INIT_REPORT"))

    assert kind == json.loads(caught.value.payload)["errorType"]
    assert ("success", b'"done"', None) == (result.status, result.payload, result.init_s)
    assert result.duration_s > 0.5
    assert failed.endswith(f"\tPhase: init\t{status}")
    assert lines.index("first") < lines.index(failed) < lines.index("START RequestId: r-1 Version: $LATEST")
    assert "Init Duration" not in lines[-1]
    assert ("done", "done") == (invoke(environment), invoke(environment))


def test_init_that_fails_again_fails_its_invocation(make: FunctionFactory) -> None:
    """Both are in the log, and their error is the invocation's."""
    environment = make("raise ValueError('never')\n")
    with pytest.raises(InitError):
        environment.start()
    with pytest.raises(InitError) as caught:
        ask(environment)
    phases = [line.text.split("\t")[1] for line in caught.value.lines if line.text.startswith("INIT_REPORT")]

    assert "never" == json.loads(caught.value.payload)["errorMessage"]
    assert ["Phase: init", "Phase: invoke"] == phases


def test_init_that_is_tried_again_has_the_functions_timeout(isolated: FunctionFactory) -> None:
    """Which may be shorter than an init's, or longer."""
    environment = isolated(ONCE.format(course="os._exit(3)", slow_s=60), timeout_s=1)
    with pytest.raises(InitError):
        environment.start()
    with pytest.raises(InitError) as caught:
        ask(environment)

    assert "Init timed out after 1 s" == json.loads(caught.value.payload)["errorMessage"]
    assert caught.value.lines[-1].text.endswith("Phase: invoke\tStatus: timeout")


@pytest.mark.parametrize(("timeout_s", "limit_s"), [(30, 30), (1, 10)])
def test_replaced_process_has_the_functions_timeout_for_its_init(
    make: FunctionFactory, timeout_s: int, limit_s: int
) -> None:
    """At least an init's, since this machine may be slower than Lambda's."""
    environment = make("import os\ndef handler(event, context):\n    return os._exit(1)\n", timeout_s=timeout_s)
    environment.start()
    first, failed = environment._phase, ask(environment)
    ask(environment)
    second = environment._phase

    assert failed.is_error
    assert [("init", 10), ("invoke", limit_s)] == [(one.name, one.limit_s) for one in (first, second)]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01\x02\x00 a handshake\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_whatever_else_connects_fails_no_invocation(make: FunctionFactory, sent: bytes) -> None:
    """Programs that look at all ports of a machine, and do not wait for an answer."""
    environment = make("import time\ndef handler(event, context):\n    time.sleep(0.2)\n    return 'done'\n")
    environment.start()
    host, port = environment._api.address.split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it resets
            connection.sendall(sent)

    assert ("done", "done") == (invoke(environment), invoke(environment))


def test_function_has_lambdas_number_of_descriptors(isolated: FunctionFactory) -> None:
    """However many the emulator has."""
    environment = isolated(
        "import resource\ndef handler(event, context):\n    return resource.getrlimit(resource.RLIMIT_NOFILE)\n"
    )

    assert [1024, 1024] == invoke(environment)


def test_error_of_init_names_lambdas_paths(make: FunctionFactory) -> None:
    """A bundle that cannot be imported."""
    with pytest.raises(InitError) as caught:
        make("import app_of_nobody\n").start()

    assert b'File \\"/var/task/app.py\\", line 1' in caught.value.payload or b"app_of_nobody" in caught.value.payload
    assert str(make.folder).encode() not in caught.value.payload


def test_all_but_tmp_is_read_only_and_the_user_is_lambdas(isolated: FunctionFactory) -> None:
    """A function that writes beside its code fails here as on AWS; its user has neither home nor settings."""
    environment = isolated(
        """
        import os
        def attempt(path):
            try:
                with open(path, 'w'):
                    return 'written'
            except OSError as error:
                return error.strerror
        def handler(event, context):
            paths = ['/var/task/x', '/opt/x', '/var/runtime/x', '/etc/x', 'x', '/tmp/x']
            return [[attempt(path) for path in paths], os.getcwd(), os.getuid(), os.path.expanduser('~'), sorted(
                os.listdir('/tmp')), os.listdir('/opt'), os.path.exists(os.path.expanduser('~'))]
        """
    )
    answers, folder, user, home, in_tmp, in_opt, has_home = invoke(environment)

    assert ["Read-only file system"] * 5 + ["written"] == answers
    assert ("/var/task", 993, "/home/sbx_user1051", False) == (folder, user, home, has_home)
    assert (["x"], []) == (in_tmp, in_opt)


def test_each_environment_has_a_tmp_of_its_own(isolated: FunctionFactory) -> None:
    """Two environments write the same path."""
    source = "import os\ndef handler(event, context):\n    os.mkdir('/tmp/a')\n    return os.listdir('/tmp')\n"

    assert [["a"], ["a"]] == [invoke(isolated(source)), invoke(isolated(source))]


def test_bytecode_is_kept_although_the_code_is_read_only(make: FunctionFactory) -> None:
    """A later start does not compile the bundle again."""
    environment = make("import other\ndef handler(event, context): pass\n", files={"other.py": "x = 1\n"})
    invoke(environment)
    code = environment._function.task_root

    assert {"app", "other"} == {path.name.partition(".")[0] for path in (code / "__pycache__").iterdir()}


def test_network_is_the_machines(make: FunctionFactory, tmp_path: Path) -> None:
    """A function reaches what listens on loopback, and the variables name no home of the user's."""
    environment = make(
        """
        import os, socket
        def handler(event, context):
            host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
            socket.create_connection((host, int(port))).close()
            return os.environ.get('HOME')
        """
    )

    assert invoke(environment) in {None, str(environment._files.tmp)}
    assert tmp_path.exists()


@pytest.mark.parametrize("kind", ["response", "error"])
def test_result_over_the_limit_is_refused_and_the_function_goes_on(make: FunctionFactory, kind: str) -> None:
    """6,291,556 bytes pass; one more is Lambda's error, also as an error's document, and larger ones are no worse."""
    environment = make(
        """
        def handler(event, context):
            if event.get('kind') == 'error':
                raise ValueError('x' * event['size'])
            return 'x' * event['size']
        """
    )
    limit = PAYLOAD_LIMIT_BYTES - 2  # the quotes of the JSON string
    first = ask(environment, {"size": limit})
    sizes = (limit + 1, 3 * limit) if kind == "response" else (limit,)  # its document has more than the message
    refused = [ask(environment, {"size": size, "kind": kind}) for size in sizes]
    expected = (
        b'{"errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).", '
        b'"errorType": "Function.ResponseSizeTooLarge"}'
    )

    assert (PAYLOAD_LIMIT_BYTES, False) == (len(first.payload), first.is_error)
    assert [(expected, True)] * len(sizes) == [(one.payload, one.is_error) for one in refused]
    assert texts(refused[0])[-1].startswith("REPORT RequestId: r-1")
    assert texts(refused[0])[-1].endswith("Error Type: Function.ResponseSizeTooLarge")
    assert "xx" == invoke(environment, {"size": 2})


def test_wrapper_gets_the_start_command_and_may_change_it(make: FunctionFactory) -> None:
    """Options before the last argument, variables, the handler: as in AWS's own example."""
    wrapper = """\
        #!/bin/sh
        export FROM_WRAPPER="$#" _HANDLER=other.handler
        echo "wrapped $(basename "$1")"
        last=""
        for one in "$@"; do last="$one"; done
        echo "last $(basename "$last")"
        exec "$@"
        """
    environment = make(
        "",
        files={
            "wrap.sh": wrapper,
            "other.py": "import os\ndef handler(event, context):\n    return os.environ['FROM_WRAPPER']\n",
        },
        variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap.sh"},
    )
    result = ask(environment)

    assert int(result.payload.strip(b'"')) >= 3
    assert [f"wrapped {own().executable.name}", "last bootstrap.py"] == texts(result)[:2]


def test_memory_is_the_functions_under_a_wrapper_that_stays(make: FunctionFactory) -> None:
    """A shell that waits for the runtime uses next to nothing itself; it ends with its function."""
    environment = make(
        "def handler(event, context):\n    global kept\n    kept = b'x' * 60_000_000\n",
        files={"wrap.sh": '#!/bin/sh\n"$@"\n'},
        variables={"AWS_LAMBDA_EXEC_WRAPPER": "wrap.sh"},
    )
    report = texts(ask(environment))[-1]
    processes = psutil.Process(environment.pid).children()
    environment.stop()

    assert int(report.partition("Max Memory Used: ")[2].split()[0]) > 60
    assert len(processes) == 1
    wait_for("the runtime's end", lambda: (not _is_working(processes[0]), None), deadline_s=10)


@pytest.mark.parametrize(
    ("name", "status", "said"), [("gone.sh", 127, "does not exist"), ("plain.txt", 126, "is not an executable")]
)
def test_wrapper_that_cannot_run_is_an_error_of_init(make: FunctionFactory, name: str, status: int, said: str) -> None:
    """With the exit status and the words of the start script in AWS's images."""
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": f"/var/task/{name}"}
    environment = make("", files={"plain.txt": "no program"}, variables=variables)
    with pytest.raises(InitError) as caught:
        environment.start()

    assert f"Runtime exited with error: exit status {status}" in str(caught.value)
    assert f"/var/task/{name}: {said}" in [line.text for line in caught.value.lines]


def test_layers_are_at_opt_and_on_the_path(make: FunctionFactory, tmp_path: Path) -> None:
    """A module of a layer is imported, the bundle's own wins, and a wrapper may lie in a layer."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "of_layer.py").write_text("x = 'layer'\n")
    (tmp_path / "python" / "both.py").write_text("x = 'layer'\n")
    (tmp_path / "wrap").write_text('#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n')
    (tmp_path / "wrap").chmod(0o755)
    environment = make(
        """
        import os, both, of_layer
        def handler(event, context):
            return [of_layer.x, both.x, os.environ['WRAPPED']]
        """,
        files={"both.py": "x = 'bundle'\n"},
        opt_root=tmp_path,
        variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"},
    )

    assert ["layer", "bundle", "yes"] == invoke(environment)


def test_interpreter_starts_as_lambdas_does(make: FunctionFactory, tmp_path: Path) -> None:
    """It runs the sitecustomize that PYTHONPATH names, and knows exit()."""
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.instrumented = True\n")
    environment = make(
        "import builtins\ndef handler(event, context):\n    return exit(4) if event else builtins.instrumented\n",
        opt_root=tmp_path,
        variables={"PYTHONPATH": "/opt" if make.is_isolated else str(tmp_path)},
    )

    assert invoke(environment) is True
    assert b"Runtime exited with error: exit status 4" in ask(environment, {"leave": True}).payload


def test_hosts_have_localstacks_names(isolated: FunctionFactory) -> None:
    """For what asks the system's resolver: a program, or a library in C."""
    environment = isolated(
        """
        import subprocess
        def handler(event, context):
            name = "sqs.us-east-1.localhost.localstack.cloud"
            answer = subprocess.run(["getent", "hosts", name], capture_output=True)
            return [open("/etc/hosts").read(), answer.stdout.decode().split()[:1]]
        """
    )
    hosts, found = invoke(environment)

    assert "127.0.0.1 localstack\n" in hosts
    assert found in (["127.0.0.1"], ["::1"])


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.14"])
def test_declared_python_serves_where_the_machine_has_it(make: FunctionFactory, version: str) -> None:
    """With AWS's runtime client and SDK: results, errors and refusals of the other version are the same."""
    interpreter = find(version)
    if interpreter is None:
        pytest.skip(f"this machine has no Python {version}")
    try:
        base = build_base(make.folder / f"base-{version}", version)
    except UnsupportedPythonError as error:
        pytest.skip(f"the runtime client is neither in the cache nor to be had: {error}")
    environment = make(
        """
        import sys, boto3
        def handler(event, context):
            if event.get('bad'):
                raise ValueError('grün 😀')
            return ['%d.%d' % sys.version_info[:2], boto3.__name__, event['text'], 'x' * event.get('size', 0)]
        """,
        program=interpreter,
        base=base,
        variables={"AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}"},
    )

    assert [version, "boto3", "grün", ""] == invoke(environment, {"text": "grün"})
    assert "grün 😀" == json.loads(ask(environment, {"bad": True}).payload)["errorMessage"]
    assert b"Function.ResponseSizeTooLarge" in ask(environment, {"text": "", "size": 7_000_000}).payload
    assert [version, "boto3", "again", ""] == invoke(environment, {"text": "again"})


def _is_working(process: psutil.Process) -> bool:
    """Whether it still runs; one that nobody has waited for yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _in_background(environment: Environment) -> tuple[threading.Thread, list[object]]:
    """An invocation that has begun: the function has made the file ``begun``."""
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(ask(environment)))
    thread.start()
    begun = environment._files.tmp / "begun"
    wait_for("the handler", lambda: (begun.exists(), None), deadline_s=20, interval_s=0.02)
    return thread, answers


SLOW = """
import os, tempfile, time
def handler(event, context):
    open(os.path.join(tempfile.gettempdir(), 'begun'), 'w').close()
    time.sleep({sleep_s})
    return 'done'
"""


def test_stop_lets_the_invocation_that_runs_end_by_itself(make: FunctionFactory) -> None:
    """Its result is the true one; then process and /tmp are gone."""
    environment = make(SLOW.format(sleep_s=0.5))
    thread, answers = _in_background(environment)
    environment.stop()
    thread.join(20)

    assert [b'"done"'] == [getattr(one, "payload", one) for one in answers]
    assert (None, False) == (environment.pid, environment._files.tmp.exists())
    with pytest.raises(RuntimeError, match="stopped before it was used"):
        ask(environment)


def test_end_wakes_the_invocation_that_runs(make: FunctionFactory) -> None:
    """At once, long before its time-out, as a process that was killed."""
    environment = make(SLOW.format(sleep_s=60), timeout_s=90)
    thread, answers = _in_background(environment)
    pid = environment.pid
    began = time.monotonic()
    environment.end()
    thread.join(30)

    assert time.monotonic() - began < 15
    assert b"Runtime exited with error: signal: killed" in getattr(answers[0], "payload", b"")
    assert not environment._files.tmp.exists()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="processes are watched on Linux only")
def test_end_of_the_process_shows_although_its_child_holds_the_output(make: FunctionFactory) -> None:
    """A daemon that the function left behind does not make a crash look like a time-out."""
    environment = make(
        """
        import os, subprocess
        def handler(event, context):
            subprocess.Popen(['sleep', '60'], start_new_session=False)
            os._exit(7)
        """,
        timeout_s=60,
    )
    began = time.monotonic()
    result = ask(environment)

    assert time.monotonic() - began < 30
    assert b"Runtime exited with error: exit status 7" in result.payload


def test_request_for_another_api_is_answered_and_changes_nothing(make: FunctionFactory) -> None:
    """An extension that registers after the init, and what there is not at all; the invocation goes on."""
    environment = make(
        """
        import os, urllib.error, urllib.request
        def handler(event, context):
            codes = []
            for path in ('2020-01-01/extension/register', 'another/api'):
                try:
                    urllib.request.urlopen(f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/{path}", data=b'{}')
                except urllib.error.HTTPError as error:
                    codes.append(error.code)
            return codes
        """
    )

    assert [403, 404] == invoke(environment)


def test_lost_file_system_does_not_fail_the_function(
    isolated: FunctionFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the system no longer gives namespaces, functions go on in the machine's file system, with a warning."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(filesystem, "_supplies", lambda _scratch: (tmp_path / "file", tmp_path / "file"))
    environment = isolated("import os\ndef handler(event, context):\n    return os.environ['LAMBDA_TASK_ROOT']\n")

    assert str(environment._function.task_root) == invoke(environment)
    assert "its own could not be made" in caplog.text


def test_process_tells_whose_it_is(make: FunctionFactory) -> None:
    """By its command line, as the search for what an emulator left behind needs it."""
    environment = make("def handler(event, context): pass\n")
    environment.start()
    words = psutil.Process(environment.pid).cmdline()

    assert any(str(make.folder) in word for word in words)
    assert words[-1].endswith("runtime/bootstrap.py")
