"""How processes end, in words: what ended, how, when, and the last lines of its log."""

import signal
import time
from pathlib import Path

LOG_TAIL_LINES = 15


def how_it_ended(code: int) -> str:
    """What an exit code of ``subprocess`` says, for a sentence: ``was killed by SIGKILL (signal 9)``."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name} (signal {-code})"
    except ValueError:  # a real-time signal: it has a number only
        return f"was killed by signal {-code}"


def told(what: str, how: str, *, phase: str, ended_ts: float, log: Path | None = None) -> str:
    """The whole message: ``the emulator was killed by SIGKILL (signal 9), in phase load at 2026-11-28T10:00:00Z``."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ended_ts))
    text = f"{what} {how}, in phase {phase} at {when}"
    return text if log is None else f"{text}\n{last_lines(log)}"


def last_lines(log: Path) -> str:
    """The end of a log under its path, or why there is none."""
    try:
        lines = log.read_text(errors="replace").rstrip().splitlines()[-LOG_TAIL_LINES:]
    except OSError as error:
        return f"its log cannot be read: {error}"
    if not lines:
        return f"its log is empty: {log}"
    return "\n".join([f"last lines of its log, {log}:", *(f"  {line}" for line in lines)])
