"""First code of a function's interpreter: sets up the import path of Lambda and hands over to AWS's runtime client.

Started as ``python -s -S -X lifeline=FD [-X OPTION]... bootstrap.py``, without site-packages, so that a function
sees its bundle, the Lambda base (awslambdaric, boto3) and the standard library, and nothing of the harness. The script
is the last argument, as Lambda's own: a wrapper of AWS_LAMBDA_EXEC_WRAPPER puts further options before it.
"""

import sys

sys.path[:] = [path for path in sys.path if path != __file__.rpartition("/")[0]]  # before anything is imported from it

import importlib
import importlib.machinery
import os
import site
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _die_with(lifeline_fd: int) -> None:
    """End this process when the emulator is gone: its end of the pipe is the only one that was ever open."""
    os.read(lifeline_fd, 1)
    os._exit(1)


def _import_path(task_root: str, base: str, opt: str, given: list[str]) -> list[str]:
    """Lambda's order: the function's own code wins over layers, and both over the SDK that Lambda brings."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [f"{opt}/python/lib/python{version}/site-packages", f"{opt}/python"]
    wanted = [path for path in dict.fromkeys((task_root, *layers, *given, base)) if path]
    return wanted + [path for path in sys.path if path not in wanted]


def _keep_bytecode(folder: str, task_root: str, base: str) -> None:
    """Let the interpreter keep its bytecode beside the sources, which the function itself sees read-only.

    Lambda never keeps it; here each start of an environment would wait for what the first one compiled.
    """
    places = ((task_root + "/", f"{folder}/task/"), (base + "/", f"{folder}/runtime/"))
    loader = importlib.machinery.SourceFileLoader
    write = loader.set_data

    def set_data(self: "Any", path: str, data: bytes, **options: int) -> None:
        place = next((writable + path[len(seen) :] for seen, writable in places if path.startswith(seen)), path)
        write(self, place, data, **options)

    loader.set_data = set_data  # type: ignore[method-assign,assignment]


def _limit_network(base: str) -> None:
    """Before any code of the function, which then finds no module of ours."""
    sys.path.insert(0, base)
    function_network = importlib.import_module("function_network")  # of the base, as AWS's runtime client

    function_network.install()
    del sys.path[0], sys.modules["function_network"]


def main() -> None:
    options = sys._xoptions
    threading.Thread(target=_die_with, args=(int(options["lifeline"]),), daemon=True, name="lifeline").start()
    task_root, base = os.environ["LAMBDA_TASK_ROOT"], os.environ["LAMBDA_RUNTIME_DIR"]
    if "bytecode" in options:
        _keep_bytecode(str(options["bytecode"]), task_root, base)
    _limit_network(base)
    site.execsitecustomize()  # found by PYTHONPATH, which is how tools instrument a function without its knowing
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = _import_path(task_root, base, str(options.get("opt", "/opt")), given)
    site.setquit()  # exit and quit, which Lambda's interpreter has
    if "locale" not in options:  # what the interpreter adds where the machine lacks Lambda's locale
        os.environ.pop("LC_CTYPE", None)
    os.chdir(task_root)
    handler = os.environ["_HANDLER"]
    sys.argv = [sys.argv[0], handler]
    from awslambdaric.__main__ import main as serve  # noqa: PLC0415  (importable only now)

    serve(["awslambdaric", handler])


if __name__ == "__main__":
    main()
