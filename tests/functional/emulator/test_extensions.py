"""External extensions beside a function, in Lambda's file system and in the machine's: what AWS promises."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dlqlab.emulator.runtime import filesystem
from dlqlab.emulator.runtime.base import build_base
from dlqlab.emulator.runtime.environment import Environment
from dlqlab.emulator.runtime.inits import InitError
from dlqlab.emulator.runtime.interpreters import own
from dlqlab.waiting import wait_for
from tests.support.functions import FunctionFactory, ask, texts

EXTENSION = """\
#!/bin/sh
set -u
API="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
head="$(mktemp)"
name="Lambda-Extension-Name: $(basename "$0")"
curl -sS -o /dev/null -D "$head" -X POST "$API/register" -H "$name" -d '{"events": EVENTS}'
id="Lambda-Extension-Identifier: $(grep -Fi Lambda-Extension-Identifier "$head" | tr -d '[:space:]' | cut -d: -f2)"
AFTER_REGISTRATION
while true; do
  event="$(curl -sS "$API/event/next" -H "$id")"
  echo "$(basename "$0") got $event"
  AFTER_EVENT
done
"""
LEAVES = 'case "$event" in *SHUTDOWN*) exit 0 ;; esac'
HANDLER = """
import os, time
def handler(event, context):
    print('function works', flush=True)
    time.sleep(event.get('sleep_s', 0))
    return [os.listdir('/opt/extensions') if os.path.exists('/opt/extensions') else None]
"""

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the extensions here need curl")


@pytest.fixture(params=["lambda", "machine"])
def make(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator["FunctionsWithExtensions"]:
    """Functions in either file system."""
    trouble = filesystem.trouble(own(), build_base(tmp_path / "base"), tmp_path / "tmp")
    if request.param == "lambda" and trouble:
        pytest.skip(f"no file system of their own for functions here: {trouble}")
    reason = None if request.param == "lambda" else "the test wants it so"
    monkeypatch.setattr(filesystem, "trouble", lambda *_args: reason)
    factory = FunctionFactory(tmp_path, request.param == "lambda", [])
    yield FunctionsWithExtensions(factory)
    for environment in factory.made:
        environment.stop()


class FunctionsWithExtensions:
    """Makes functions with an extension of a given course."""

    def __init__(self, factory: FunctionFactory) -> None:
        self._factory = factory

    def __call__(
        self,
        *,
        names: tuple[str, ...] = ("watcher",),
        events: str = '["INVOKE", "SHUTDOWN"]',
        after_registration: str = "",
        after_event: str = LEAVES,
        timeout_s: float = 20,
    ) -> Environment:
        opt = self._factory.folder / f"opt-{len(self._factory.made)}"
        (opt / "extensions").mkdir(parents=True)
        text = EXTENSION.replace("EVENTS", events).replace("AFTER_REGISTRATION", after_registration)
        for name in names:
            path = opt / "extensions" / name
            path.write_text(text.replace("AFTER_EVENT", after_event))
            path.chmod(0o755)
        variables = {"AWS_LAMBDA_FUNCTION_NAME": "f", "OWN": "mine", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
        return self._factory(HANDLER, opt_root=opt, timeout_s=timeout_s, variables=variables)


def events(lines: list[str], name: str = "watcher") -> list[dict[str, object]]:
    """What an extension printed of its events."""
    begin = f"{name} got "
    return [json.loads(line.removeprefix(begin)) for line in lines if line.startswith(begin)]


def test_extension_gets_each_invocation_and_the_end(make: FunctionsWithExtensions) -> None:
    """With the request, its deadline and its trace; what it prints is in the function's log."""
    environment = make()
    first, second = ask(environment), ask(environment)
    last = [line.text for line in environment._end_process("SPINDOWN")]

    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]" in texts(first)
    for result in (first, second):
        (event,) = events(texts(result))
        assert ("INVOKE", "r-1", "arn:f") == (event["eventType"], event["requestId"], event["invokedFunctionArn"])
        assert {"type": "X-Amzn-Trace-Id", "value": "Root=1"} == event["tracing"]
        assert isinstance(event["deadlineMs"], int)
    assert [("SHUTDOWN", "SPINDOWN")] == [(event["eventType"], event["shutdownReason"]) for event in events(last)]


def test_next_invocation_waits_for_the_extension(make: FunctionsWithExtensions) -> None:
    """An invocation has ended when all that got it ask again, and takes so long; the function alone was quicker."""
    environment = make(names=("one", "two"), after_event=f"{LEAVES}; sleep 0.3; echo slept")
    result = ask(environment)

    assert result.duration_s >= 0.3
    assert ["slept"] * 2 == [text for text in texts(result) if text == "slept"]
    assert {"one", "two"} == {text.split()[0] for text in texts(result) if " got " in text}


def test_extension_that_wants_no_invocations_gets_none(make: FunctionsWithExtensions) -> None:
    """Nor does any wait for it."""
    environment = make(events='["SHUTDOWN"]')
    ask(environment)
    result = ask(environment)

    assert [] == events(texts(result))
    assert not result.is_error


def test_timeout_ends_the_extension_too(make: FunctionsWithExtensions) -> None:
    """It hears why; the next invocation has an init, with the extension."""
    environment = make(timeout_s=1)
    late = ask(environment, {"sleep_s": 60})
    after = ask(environment)

    assert ["INVOKE", "SHUTDOWN"] == [event["eventType"] for event in events(texts(late))]
    assert "TIMEOUT" == events(texts(late))[1]["shutdownReason"]
    assert ("timeout", "success") == (late.status, after.status)
    assert ["INVOKE"] == [event["eventType"] for event in events(texts(after))]


@pytest.mark.parametrize(
    ("course", "kind", "said"),
    [
        ("exit 3", "Extension.Crash", "extension watcher: exit code 3"),
        (
            "curl -sS -X POST $API/init/error -H \"$id\" -H 'Lambda-Extension-Function-Error-Type: Own.NoKey' -d '{}'",
            "Extension.InitError",
            "extension watcher: Own.NoKey",
        ),
    ],
)
def test_extension_that_fails_fails_the_init(make: FunctionsWithExtensions, course: str, kind: str, said: str) -> None:
    """With Lambda's type."""
    with pytest.raises(InitError) as caught:
        make(after_registration=course).start()

    assert {"errorType": kind, "errorMessage": said} == json.loads(caught.value.payload)


def test_extension_that_ends_in_an_invocation_fails_it(make: FunctionsWithExtensions) -> None:
    """The next one has an init."""
    environment = make(after_event="exit 4")
    failed = json.loads(ask(environment).payload)

    assert ("Extension.Crash", "RequestId: r-1 Error: extension watcher: exit code 4") == (
        failed["errorType"],
        failed["errorMessage"],
    )
    assert "Extension.Crash" == json.loads(ask(environment).payload)["errorType"]


def test_extension_has_its_functions_variables_and_is_refused_telemetry(make: FunctionsWithExtensions) -> None:
    """But for those that AWS leaves out; the refusal says what there is instead."""
    environment = make(
        after_registration='echo "env ${OWN-} ${_HANDLER-none} ${AWS_EXECUTION_ENV-none} ${LAMBDA_TASK_ROOT-none}"; '
        'url="http://$AWS_LAMBDA_RUNTIME_API/2022-07-01/telemetry"; '
        'echo "$(curl -sS -X PUT "$url" -H "$id" -d "{}" -w " %{http_code}")"'
    )
    lines = texts(ask(environment))

    assert "env mine none none none" in lines
    assert any('"errorType": "Telemetry.NotSupported"' in line and line.endswith(" 403") for line in lines)


def test_extension_that_ignores_the_end_is_ended(make: FunctionsWithExtensions) -> None:
    """Two seconds after it was told."""
    environment = make(after_event="true")
    environment.start()
    (one,) = environment._extensions.known
    assert one.process is not None
    started = psutil.Process(one.process.pid).children(recursive=True)
    environment.stop()

    assert started
    wait_for("its end", lambda: (not any(process.is_running() for process in started), started), deadline_s=10)
