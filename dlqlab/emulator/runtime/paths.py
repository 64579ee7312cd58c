"""Lambda's paths in what a function says, where it runs in folders of the machine's. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dlqlab.emulator.runtime.files import Files
from dlqlab.emulator.runtime.output import Line
from dlqlab.emulator.runtime.variables import LAMBDA, Places


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders of the machine and what Lambda calls them; none where the function sees Lambda's own."""

    pairs: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def between(files: Files, places: Places) -> "Paths":
        """What must be replaced for a function that sees these places."""
        if places == LAMBDA:
            return Paths()
        pairs = [(str(files.task), LAMBDA.task), (str(files.base), LAMBDA.runtime), (str(files.tmp), "/tmp")]  # noqa: S108  (Lambda's own path, as it is shown)
        if files.opt:
            pairs.append((str(files.opt), LAMBDA.opt))
        return Paths(tuple(pairs))

    def in_text(self, text: str) -> str:
        for own, lambdas in self.pairs:
            text = text.replace(own, lambdas)
        return text

    def in_bytes(self, document: bytes) -> bytes:
        """In a JSON document, where other characters than ASCII's may be escaped."""
        for own, lambdas in self.pairs:
            for written in {own, json.dumps(own)[1:-1]}:
                document = document.replace(written.encode(), lambdas.encode())
        return document

    def in_lines(self, lines: Sequence[Line]) -> list[Line]:
        if not self.pairs:
            return list(lines)
        return [replace(line, text=self.in_text(line.text)) for line in lines]
