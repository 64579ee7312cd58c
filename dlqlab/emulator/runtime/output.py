"""What a function process printed, line by line, each with the time at which it arrived."""

import os
import re
import time
from dataclasses import dataclass, field

_CONSOLE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z\t")
"""How each message of Node.js's console begins."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output and its time in milliseconds since the epoch."""

    ts_ms: int
    text: str


@dataclass(slots=True)
class OutputReader:
    """Reads a non-blocking pipe without a thread of its own: the invoking thread drains it."""

    fd: int
    closed: bool = False
    unfolds: bool = False
    """Whether a message of several lines comes as one, as AWS's client for Node.js writes it to a pipe."""
    _tail: bytes = b""
    _lines: list[Line] = field(default_factory=list)

    def drain(self) -> None:
        """Take what is there. Sets ``closed`` once the writer is gone."""
        while not self.closed:
            try:
                chunk = os.read(self.fd, 65536)
            except BlockingIOError:
                return
            if not chunk:
                self.closed = True
                return
            self._take(chunk)

    def take_lines(self, *, flush: bool = False) -> list[Line]:
        """The complete lines so far, once each; with ``flush`` also a last one that lacks its newline."""
        if flush and self._tail:
            self._lines.append(Line(_now_ms(), self._text(self._tail)))
            self._tail = b""
        lines, self._lines = self._lines, []
        return lines

    def _take(self, chunk: bytes) -> None:
        now = _now_ms()
        *complete, self._tail = (self._tail + chunk).split(b"\n")
        self._lines.extend(Line(now, self._text(line)) for line in complete if line)

    def _text(self, line: bytes) -> str:
        text = line.decode(errors="replace")
        return text.replace("\r", "\n") if self.unfolds and _CONSOLE.match(text) else text


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
