"""Functions in processes, without an emulator around them."""

import json
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlqlab.emulator.runtime.base import build_base
from dlqlab.emulator.runtime.environment import Environment, Result
from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.process import Lifeline
from dlqlab.emulator.runtime.starting import Function

LIFELINE = Lifeline()


def files_below(folder: str) -> Files:
    """The folders of an execution environment; none needs to exist."""
    root = Path(folder)
    return Files(task=root / "task", base=root / "base", tmp=root / "tmp", opt=root / "opt")


@dataclass(frozen=True)
class FunctionFactory:
    """Makes execution environments of functions from source text, in Lambda's file system or in the machine's."""

    folder: Path
    is_isolated: bool
    made: list[Environment]

    def __call__(
        self,
        source: str,
        *,
        main: str = "app.py",
        files: Mapping[str, str] | None = None,
        timeout_s: float = 20,
        **settings: Any,
    ) -> Environment:
        """An environment that has not been started; more files of the bundle by path, executable where ``.sh``.

        ``main`` is the file that holds the source; its base is Python's, unless ``base`` gives another.
        """
        code = Path(tempfile.mkdtemp(dir=self.folder))
        for path, text in {main: source, **(files or {})}.items():
            (code / path).parent.mkdir(parents=True, exist_ok=True)
            (code / path).write_text(textwrap.dedent(text))
            (code / path).chmod(0o755 if path.endswith((".sh", "bootstrap")) else 0o644)
        variables = settings.pop("variables", {})
        base = settings.pop("base", None) or build_base(self.folder / "base")
        function = Function(
            handler="app.handler",
            version="$LATEST",
            timeout_s=timeout_s,
            memory_mb=settings.pop("memory_mb", 128),
            task_root=code,
            variables=variables,
            **settings,
        )
        environment = Environment(function, base=base, scratch=self.folder / "tmp", lifeline=LIFELINE)
        self.made.append(environment)
        return environment


def invoke(environment: Environment, event: Any = None) -> Any:
    """The result of one invocation, which must be a success."""
    result = ask(environment, event)
    assert not result.is_error, result
    return json.loads(result.payload)


def ask(environment: Environment, event: Any = None) -> Result:
    """One invocation."""
    payload = json.dumps(event or {}).encode()
    return environment.invoke(request_id="r-1", payload=payload, arn="arn:f", trace_id="Root=1")


def texts(result: Result) -> list[str]:
    """The lines of its log."""
    return [line.text for line in result.lines]
