"""Starting, finding and stopping the emulator.

Each emulator has a folder of its own under ``.dlqlab``, named after its port: ``emulator.json`` (pid and settings),
``emulator.log``, function code and temporary files. A process is known by its pid and its start time together, so a
pid that the system has given to somebody else is never signalled.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

import psutil

from dlqlab import paths
from dlqlab.emulator import settings
from dlqlab.emulator.core import listening, processors
from dlqlab.emulator.core.loopback import LOOPBACK
from dlqlab.emulator.host import service_catalog_cache
from dlqlab.emulator.host.folders import folder_of, new_folder, ports
from dlqlab.emulator.patches import by_default
from dlqlab.errors import EmulatorError
from dlqlab.exits import how_it_ended, last_lines
from dlqlab.proxies import without_proxies
from dlqlab.waiting import DeadlinePassedError, wait_for

DEFAULT_PORT = 4566
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 10.0
_RECORD = "emulator.json"
_COMMAND = [sys.executable, "-m", "dlqlab.emulator.boot"]
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Emulators that this process started, by pid: a child must be waited for by its parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A running emulator."""

    port: int
    pid: int
    created_ts: float
    state: str
    patches: tuple[str, ...]
    bound_to: int | None = None  # process with which it ends
    lifeline_fd: int | None = field(default=None, compare=False)

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log_path(self) -> Path:
        return Path(self.state) / "emulator.log"

    def process(self) -> psutil.Process | None:
        """The process, or None when it is gone."""
        return _process(self.pid, self.created_ts)

    def function_processes(self) -> list[psutil.Process]:
        """The function processes and what they started."""
        process = self.process()
        try:
            return process.children(recursive=True) if process else []
        except psutil.NoSuchProcess:
            return []


def find(port: int, root: Path = paths.STATE) -> Emulator | None:
    """The emulator that dlqlab started on this port, if it still runs."""
    try:
        record = json.loads((folder_of(port, root) / _RECORD).read_text())
    except FileNotFoundError:
        return None
    emulator = Emulator(**{**record, "patches": tuple(record["patches"])})
    return emulator if emulator.process() else None


def find_all(root: Path = paths.STATE) -> list[Emulator]:
    """Every emulator of this project that runs."""
    return [emulator for port in ports(root) if (emulator := find(port, root))]


def start(
    port: int = DEFAULT_PORT,
    *,
    bound: bool,
    host: str = LOOPBACK,
    patches: tuple[str, ...] | None = None,
    root: Path = paths.STATE,
    number: int = 0,
    extra: Mapping[str, str] | None = None,
) -> Emulator:
    """Start an emulator and return once it serves.

    Args:
        port: where it listens; ``ANY_PORT`` for any free one.
        bound: end the emulator when this process ends, however it ends.
        patches: by name; those by default where none are given.
        number: of the cell, where several start at once.
        extra: further LocalStack settings, which win over ours.

    Raises:
        UsageError: nobody can listen on the port, or a variable of the environment makes no sense.
        EmulatorError: it did not come up; the message carries the end of its log.
    """
    patches = by_default() if patches is None else patches
    with listening.listen(host, port) as listener:
        port = listening.port_of(listener)
        state = _new_folder(port, root)
        environ = _environment(host, port, state, patches, number) | dict(extra or {})
        process, lifeline_fd = _spawn(environ, state, listener, bound=bound)
    emulator = _emulator(process.pid, port, state, patches, lifeline_fd=lifeline_fd)
    _record(emulator)
    try:
        _wait_until_serving(emulator, process)
    except BaseException:
        stop(emulator)
        raise
    return emulator


def _spawn(
    environ: dict[str, str], state: Path, listener: socket.socket, *, bound: bool
) -> tuple[subprocess.Popen[bytes], int | None]:
    """The emulator's process, and the end of the pipe whose closing ends it where it is bound to this process."""
    inherited = [listener.fileno()]
    environ[settings.LISTENER_FD] = str(listener.fileno())
    read_fd, write_fd = os.pipe() if bound else (None, None)
    if read_fd is not None:
        inherited.append(read_fd)
        environ[settings.LIFELINE_FD] = str(read_fd)
    with (state / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            _COMMAND,
            cwd=state,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            start_new_session=True,  # Ctrl-C is ours to handle: it must not hit the emulator first
        )
    _CHILDREN[process.pid] = process
    if read_fd is not None:
        os.close(read_fd)
    return process, write_fd


def serve(
    port: int,
    *,
    host: str,
    patches: tuple[str, ...],
    starting: Callable[[str], object],
    root: Path = paths.STATE,
) -> NoReturn:
    """Become the emulator: it takes this process over, and its log goes to this process's output.

    Args:
        host: where it listens. Whoever reaches it can run code as this user: another address than a loopback one is for
            a container, whose port is published where its owner says.
        starting: told the address, before LocalStack starts.

    Raises:
        UsageError: nobody can listen on the port.
    """
    listener = listening.listen(host, port)
    port = listening.port_of(listener)
    state = _new_folder(port, root)
    _record(_emulator(os.getpid(), port, state, patches))
    listener.set_inheritable(True)
    environ = _environment(host, port, state, patches) | {settings.LISTENER_FD: str(listener.fileno())}
    starting(f"http://{host}:{port}")
    sys.stdout.flush()  # what is still in a buffer would be lost
    os.chdir(state)
    os.execve(sys.executable, _COMMAND, environ)  # noqa: S606  (no shell is wanted)


def stop(emulator: Emulator) -> None:
    """Stop the emulator and every function process; returns when all are gone."""
    process = emulator.process()
    functions = emulator.function_processes()
    if process:
        process.terminate()
        gone, _ = psutil.wait_procs([process], timeout=STOP_DEADLINE_S)
        if not gone:
            process.kill()
            psutil.wait_procs([process], timeout=STOP_DEADLINE_S)
    child = _CHILDREN.pop(emulator.pid, None)
    if child:
        child.wait()
    service_catalog_cache.keep(Path(emulator.state))  # not before: it may be in the making
    # They end by themselves once the emulator's end of their pipe is closed; what does not is killed by its own id.
    _, alive = psutil.wait_procs(functions, timeout=2)
    for straggler in alive:
        straggler.kill()
    psutil.wait_procs(alive, timeout=STOP_DEADLINE_S)
    if emulator.lifeline_fd is not None:
        os.close(emulator.lifeline_fd)
    (Path(emulator.state) / _RECORD).unlink(missing_ok=True)


def ending(emulator: Emulator) -> str | None:
    """How the emulator has ended, for a sentence; None while it runs."""
    if emulator.process():
        return None
    child = _CHILDREN.get(emulator.pid)
    if child is None:
        return "is gone; how it ended is not known to whoever did not start it"
    return how_it_ended(child.wait())  # it has ended: this does not wait


def health(port: int, timeout_s: float = 1.0) -> dict[str, object] | None:
    """LocalStack's own health document; None while it does not answer."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_s)
    try:
        connection.request("GET", "/_localstack/health")
        response = connection.getresponse()
        body = response.read()
        return json.loads(body) if response.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _wait_until_serving(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    def probe() -> tuple[bool, str]:
        code = process.poll()
        if code is not None:
            raise EmulatorError(f"LocalStack {how_it_ended(code)} at its start:\n{last_lines(emulator.log_path)}")
        return health(emulator.port) is not None, "no answer from /_localstack/health"

    try:
        wait_for("LocalStack's start", probe, deadline_s=START_DEADLINE_S, interval_s=0.05)
    except DeadlinePassedError as error:
        raise EmulatorError(f"{error}\n{last_lines(emulator.log_path)}") from error


def _new_folder(port: int, root: Path) -> Path:
    return new_folder(port, root, lambda other: find(other, root) is not None)


def _emulator(
    pid: int, port: int, state: Path, patches: tuple[str, ...], *, lifeline_fd: int | None = None
) -> Emulator:
    created_ts = psutil.Process(pid).create_time()
    return Emulator(
        port=port,
        pid=pid,
        created_ts=created_ts,
        state=str(state),
        patches=patches,
        bound_to=None if lifeline_fd is None else os.getpid(),
        lifeline_fd=lifeline_fd,
    )


def _record(emulator: Emulator) -> None:
    """Leave a note for ``find``."""
    record = asdict(emulator) | {"lifeline_fd": None}
    (Path(emulator.state) / _RECORD).write_text(json.dumps(record, indent=2) + "\n")


def _environment(host: str, port: int, state: Path, patches: tuple[str, ...], number: int = 0) -> dict[str, str]:
    # What a user has set for other AWS work must not reach the emulator.
    foreign = ("AWS_", "LOCALSTACK_", "LAMBDA_", "PROVIDER_OVERRIDE_", "DLQLAB_", "PYTHON", "EDGE_PORT")
    inherited = {name: value for name, value in without_proxies(os.environ).items() if not name.startswith(foreign)}
    ours = settings.environment(host=host, port=port, state=state, patches=patches)
    return inherited | ours | {settings.PROCESSOR: processors.choose(number), "PYTHONUNBUFFERED": "1"}


def _process(pid: int, created_ts: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created_ts) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same else None
