"""A function process sees the variables that Lambda documents and its own, and nothing of the emulator."""

import pytest

from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.output import Line
from dlqlab.emulator.runtime.paths import Paths
from dlqlab.emulator.runtime.variables import LAMBDA, Places, of_function, of_process
from tests.support.functions import files_below

GIVEN = {
    "AWS_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": 256,
    "AWS_LAMBDA_FUNCTION_TIMEOUT": 3,
    "AWS_EXECUTION_ENV": "AWS_Lambda_rapid",
    "LAMBDA_TASK_ROOT": "/var/task",
    "TZ": ":UTC",
    "LOCALSTACK_HOSTNAME": "127.0.0.1",
    "LOCALSTACK_RUNTIME_ID": "1",
    "LOCALSTACK_MAX_PAYLOAD_SIZE": "6291556",
    "DLQLAB_STATE_DIR": "/state",
}
"""What LocalStack would set."""


def variables(own: dict[str, str], places: Places = LAMBDA) -> dict[str, str]:
    function = of_function(GIVEN | own, own, runtime="python3.12")
    language = {"PYTHONPATH": places.runtime}
    return of_process(function, places, language, handler="app.handler", runtime_api="127.0.0.1:9001")


def test_variables_are_lambdas() -> None:
    """Names and values as AWS's Python runtime has them, and of LocalStack's own only the host name."""
    expected = {
        "_HANDLER": "app.handler",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_REGION": "eu-west-1",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib"
        ":/opt/lib",
        "LOCALSTACK_HOSTNAME": "127.0.0.1",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": "/var/task",
        "PYTHONPATH": "/var/runtime",
        "SHLVL": "0",
        "TZ": ":UTC",
    }

    assert expected == variables({})


@pytest.mark.parametrize("name", ["TZ", "PATH", "PYTHONPATH", "LANG", "LOCALSTACK_OWN", "DLQLAB_OWN", "HTTP_PROXY"])
def test_function_has_its_own_variables(name: str) -> None:
    """Also those that Lambda sets without reserving them, and those that look like the emulator's."""
    assert "mine" == variables({name: "mine"})[name]


@pytest.mark.parametrize("name", ["LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_RUNTIME_API", "_HANDLER"])
def test_reserved_variables_stay_lambdas(name: str) -> None:
    """A function cannot have another task root."""
    assert "mine" != variables({name: "mine"})[name]


def test_paths_of_the_machine_are_true_where_there_are_no_others() -> None:
    """What a function opens by LAMBDA_TASK_ROOT and TMPDIR is there; no home of the user's is."""
    seen = variables({}, Places(task="/state/code", runtime="/state/base", opt="/state/opt", tmp="/state/tmp"))

    assert {"/state/code"} == {seen["LAMBDA_TASK_ROOT"], seen["PWD"]}
    assert {"/state/tmp"} == {seen["TMPDIR"], seen["HOME"]}
    assert "/var" not in " ".join(seen.values())


def test_texts_show_lambdas_paths() -> None:
    """Error documents, in which a path may be escaped, and lines."""
    files: Files = files_below("/home/jürgen")
    paths = Paths.between(files, files.places(isolated=False))

    assert '"/var/task/app.py", line 2' == paths.in_text('"/home/jürgen/task/app.py", line 2')
    assert [Line(1, "/tmp/x /var/runtime/y")] == paths.in_lines([Line(1, "/home/jürgen/tmp/x /home/jürgen/base/y")])
    assert b'{"at": "/var/task/app.py"}' == paths.in_bytes(b'{"at": "/home/j\\u00fcrgen/task/app.py"}')
    assert b'{"at": "/opt/x"}' == paths.in_bytes('{"at": "/home/jürgen/opt/x"}'.encode())


def test_texts_of_a_function_with_lambdas_files_are_as_they_are() -> None:
    """There is nothing to replace."""
    files = files_below("/state")
    paths = Paths.between(files, files.places(isolated=True))

    assert (b"/state/task/app.py", ()) == (paths.in_bytes(b"/state/task/app.py"), paths.pairs)
