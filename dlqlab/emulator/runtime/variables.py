"""The environment variables of a function process. Pure: nothing of this process's own environment gets in.

Names and values: "Working with Lambda environment variables" (AWS Lambda developer guide). What LocalStack adds for
itself is left out, but for the address of its endpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_OURS = ("LOCALSTACK_", "DLQLAB_")
_KEPT = {"LOCALSTACK_HOSTNAME"}
_FOREIGN = {"AWS_LAMBDA_FUNCTION_TIMEOUT"}
"""Of the Runtime Interface Emulator, not of Lambda."""
_PLACED = {"TZ", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"}
"""Set for each process."""
_EXECUTION_ENV = "AWS_EXECUTION_ENV"
_PATH = "/usr/local/bin:/usr/bin/:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a function finds what Lambda gives it: as paths that it can open."""

    task: str
    runtime: str
    opt: str
    lang: str | None = None
    """The interpreter's folder, where it has one that Lambda also has."""
    tmp: str | None = None
    """The folder in place of /tmp; None where /tmp itself is the function's own."""


LAMBDA = Places(task="/var/task", runtime="/var/runtime", opt="/opt", lang="/var/lang")


def of_function(given: Mapping[str, object], own: Mapping[str, str], *, runtime: str | None) -> dict[str, str]:
    """The variables of a function, without those that depend on where things lie.

    Args:
        given: what LocalStack would set, the function's own among them.
        own: the function's own, which stay whatever their names.
        runtime: that serves it, such as ``python3.13``; None where Lambda does not tell it.
    """
    kept = {
        name: str(value)
        for name, value in given.items()
        if name in own or name in _KEPT or not (name.startswith(_OURS) or name in _FOREIGN or name in _PLACED)
    }
    if runtime is None:  # "Working with Lambda environment variables", AWS Lambda developer guide
        kept.pop(_EXECUTION_ENV, None)
        return kept
    return {**kept, _EXECUTION_ENV: f"AWS_Lambda_{runtime}"}


def of_process(
    function: Mapping[str, str], places: Places, language: Mapping[str, str], *, handler: str, runtime_api: str
) -> dict[str, str]:
    """All variables of a process: a function may set those that Lambda does not reserve, as those of its language."""
    reserved = {
        "_HANDLER": handler,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": places.task,
        "LAMBDA_RUNTIME_DIR": places.runtime,
        "PWD": places.task,
    }
    return {**_unreserved(places), **language, **function, **reserved}


def _unreserved(places: Places) -> dict[str, str]:
    libraries = ("/lib64", "/usr/lib64", places.runtime, f"{places.runtime}/lib", places.task, f"{places.task}/lib")
    lang = (places.lang,) if places.lang else ()
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": ":".join([*(f"{one}/bin" for one in lang), _PATH, f"{places.opt}/bin"]),
        "LD_LIBRARY_PATH": ":".join([*(f"{one}/lib" for one in lang), *libraries, f"{places.opt}/lib"]),
        "SHLVL": "0",
        # Where /tmp is the machine's, its folder, and no home: what lies in the user's must not reach a function.
        **({"TMPDIR": places.tmp, "HOME": places.tmp} if places.tmp else {}),
    }
