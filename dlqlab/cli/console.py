"""What every command that runs shares: the two consoles, and errors as messages with exit codes."""

import importlib
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from dlqlab import paths
from dlqlab.contracts.verdict import EXIT_BROKE
from dlqlab.errors import DlqlabError, UsageError

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)


def end_with(action: tuple[str, str], given: Mapping[str, object]) -> NoReturn:
    """Import the action, a module and the name of a function in it, call it, and end the process with its exit code.

    Errors of ours and of AWS calls become one message and an exit code; Ctrl-C and SIGTERM unwind, so that all
    processes end.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _check_project()
        module, name = action
        code = getattr(importlib.import_module(module), name)(**given) or 0
    except DlqlabError as error:
        ERR.print(f"[bold red]dlqlab:[/] {escape(str(error))}", soft_wrap=True)
        _print_notes(error)
        code = error.exit_code
    except Exception as error:
        if not _is_of_an_aws_call(error):
            raise
        ERR.print(f"[bold red]dlqlab:[/] {escape(_told(error))}", soft_wrap=True)
        _print_notes(error)
        code = EXIT_BROKE
    except KeyboardInterrupt as error:
        ERR.print("[bold yellow]dlqlab:[/] interrupted; everything that was started has been stopped")
        _print_notes(error)
        code = EXIT_BROKE
    sys.exit(code)


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


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
