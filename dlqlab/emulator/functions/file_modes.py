"""A function's files have the modes that its archive gives them, so that what is not executable is not run.

LocalStack makes all of them executable, and a ``bootstrap`` or a wrapper that AWS cannot start runs ("Troubleshoot
execution issues in Lambda", permission denied, AWS Lambda developer guide).
"""

from pathlib import Path

from localstack.services.lambda_.invocation import lambda_models

_FOLDER, _FILE = 0o755, 0o400
"""What the emulator needs itself, whatever an archive says: to look into folders and to read files."""


def make_readable(path: str, _mode: int) -> None:
    """Let all below a folder be read, and else leave the modes as they are; ``_mode`` is what LocalStack wants."""
    for folder, _, files in Path(path).walk():
        folder.chmod(_FOLDER)
        for name in files:
            file = folder / name
            if not file.is_symlink() and not (mode := file.stat().st_mode) & _FILE:
                file.chmod(mode | _FILE)


def patch() -> None:
    lambda_models.chmod_r = make_readable
