"""What every command that runs shares: the two consoles, and errors as messages with exit codes."""

import errno
import gc
import importlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from dlqlab import paths
from dlqlab.contracts.verdict import EXIT_BROKE
from dlqlab.errors import DlqlabError, UsageError

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
_NOT_WRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})
"""A place that takes no file is the user's affair; any other error of the system is ours, and shows its traceback."""


def end_with(action: tuple[str, str], given: Mapping[str, object]) -> NoReturn:
    """Import the action, a module and the name of a function in it, call it, and end the process with its exit code.

    Errors of ours, of AWS calls and of places that take no file become one message and an exit code; Ctrl-C and SIGTERM
    unwind, so that all processes end.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _check_project()
        module, name = action
        code = getattr(_imported(module), name)(**given) or 0
    except DlqlabError as error:
        ERR.print(f"[bold red]dlqlab:[/] {escape(str(error))}", soft_wrap=True)
        _print_notes(error)
        code = error.exit_code
    except Exception as error:
        told = _told(error) if _is_of_an_aws_call(error) else _told_of_place(error)
        if told is None:
            raise
        ERR.print(f"[bold red]dlqlab:[/] {escape(told)}", soft_wrap=True)
        _print_notes(error)
        code = EXIT_BROKE
    except KeyboardInterrupt as error:
        ERR.print("[bold yellow]dlqlab:[/] interrupted; everything that was started has been stopped")
        _print_notes(error)
        code = EXIT_BROKE
    sys.exit(code)


def _imported(module: str) -> ModuleType:
    """Without the garbage collector, which takes a seventh of the time of an import whose objects all stay."""
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.enable()


def _check_project() -> None:
    if paths.ROOT.exists() and not paths.ROOT.is_dir():
        raise UsageError(f"{paths.HOME} is {paths.ROOT}, which is no folder: give one, or unset it")


def _print_notes(error: BaseException) -> None:
    """What whoever passed the error on had to add, such as where the evidence lies."""
    for note in getattr(error, "__notes__", ()):
        ERR.print(f"  {note}", markup=False, soft_wrap=True)


def _is_of_an_aws_call(error: Exception) -> bool:
    """Whether botocore raised it; without importing botocore, which commands that need no AWS do not pay for."""
    known = sys.modules.get("botocore.exceptions")
    return known is not None and isinstance(error, known.BotoCoreError | known.ClientError)


def _told(error: Exception) -> str:
    """The error with a remedy where there is one."""
    name = type(error).__name__
    if name in {"EndpointConnectionError", "ConnectionClosedError", "ConnectTimeoutError", "ReadTimeoutError"}:
        return f"{error}: does anything serve the AWS API there? See dlqlab doctor, dlqlab up, or --target"
    if name in {"NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "SSOTokenLoadError"}:
        return f"{error}: log in, or set AWS_PROFILE"
    return f"an AWS call failed: {error}"


def _told_of_place(error: Exception) -> str | None:
    """The message for a file or folder that cannot be written; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in _NOT_WRITABLE:
        return None
    if not isinstance(error.filename, str) or not Path(error.filename).is_relative_to(paths.ROOT):
        return str(error.strerror) if error.filename is None else f"{error.filename}: {error.strerror}"
    remedy = f"go where you may write, or name such a folder by {paths.HOME}"
    return f"{error.filename}: {error.strerror}: runs and state are kept in {paths.ROOT}: {remedy}"


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
