"""First code of a function process: sets up the import path of Lambda and hands over to AWS's runtime client.

Started as ``python -I -S bootstrap.py HANDLER BASE LIFELINE_FD``: isolated and without site-packages, so that a
function sees its bundle, the Lambda base (awslambdaric, boto3) and the standard library, and nothing of the harness.
"""

import os
import sys
import threading


def _die_with(lifeline_fd: int) -> None:
    """End this process when the emulator is gone: its end of the pipe is the only one that was ever open."""
    os.read(lifeline_fd, 1)
    os._exit(1)


def main() -> None:
    handler, base, lifeline_fd = sys.argv[1:4]
    threading.Thread(target=_die_with, args=(int(lifeline_fd),), daemon=True, name="lifeline").start()
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    own = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    # Lambda's order: the function's own code wins over the SDK that Lambda brings.
    sys.path[:0] = [task_root, *own, base]
    os.chdir(task_root)
    sys.argv = [sys.argv[0], handler]
    from awslambdaric.__main__ import main as serve  # noqa: PLC0415  (importable only now)

    serve(["awslambdaric", handler])


if __name__ == "__main__":
    main()
