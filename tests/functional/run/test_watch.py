"""What a run rests on is watched: its end interrupts whatever the run waits for, and is the reason that is told."""

import signal
import threading
from pathlib import Path

import pytest

from dlqlab.errors import PartEndedError
from dlqlab.run.watch import Watch, disk_space

FOREVER_S = 60.0


def make_watch() -> Watch:
    return Watch(lambda: "load", interval_s=0.01, last_look_s=0.5)


def test_an_ending_interrupts_what_the_run_waits_for(tmp_path: Path) -> None:
    """The message says what ended, how, in which phase, and shows the end of its log."""
    log = tmp_path / "emulator.log"
    log.write_text("first\nlast words\n")
    looks = iter([None, None, "was killed by SIGKILL (signal 9)"])
    watch = make_watch()
    watch.add("the emulator", lambda: next(looks), log=log)

    with pytest.raises(PartEndedError) as caught, watch:
        threading.Event().wait(FOREVER_S)

    first, *rest = str(caught.value).splitlines()
    assert first.startswith("the emulator was killed by SIGKILL (signal 9), in phase load at 20")
    assert rest == [f"last lines of its log, {log}:", "  first", "  last words"]


def test_no_handler_of_errors_takes_the_interrupt_for_its_own() -> None:
    """Code that tries again after any Exception, as clients of services do, is left all the same."""
    watch = make_watch()
    watch.add("the disk", lambda: "is used up")
    tries: list[int] = []

    def ask_again_and_again() -> None:
        for number in range(100):
            tries.append(number)
            try:
                threading.Event().wait(FOREVER_S)
            except Exception:  # noqa: BLE001  (the point of the test)
                continue

    with pytest.raises(PartEndedError, match="the disk is used up"), watch:
        ask_again_and_again()

    assert [0] == tries


def test_an_error_that_is_quicker_than_the_watch_is_explained_by_the_ending() -> None:
    """A connection is reset before the process at its other end can be seen to be gone."""
    watch = Watch(lambda: "drain", interval_s=FOREVER_S, last_look_s=1.0)
    looks = iter([None, None, "is gone"])
    watch.add("the emulator", lambda: next(looks))

    with pytest.raises(PartEndedError, match="the emulator is gone, in phase drain") as caught, watch:
        raise ConnectionResetError("reset by peer")

    assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_an_error_while_all_is_well_is_left_as_it_is() -> None:
    """Nor does the watch stand in the way of a block that comes to its end, or of Ctrl-C."""
    for error in (ValueError("its own"), KeyboardInterrupt()):
        watch = Watch(lambda: "load", interval_s=0.01, last_look_s=0.02)
        watch.add("the emulator", lambda: None)
        with pytest.raises(type(error)) as caught, watch:
            raise error
        assert caught.value is error
    with make_watch() as watch:
        watch.add("the emulator", lambda: None)


def test_the_signal_that_the_watch_uses_is_given_back() -> None:
    """Whoever had a handler of his own has it again."""
    before = signal.getsignal(signal.SIGUSR1)
    watch = make_watch()
    watch.add("the emulator", lambda: "is gone")

    with pytest.raises(PartEndedError), watch:
        threading.Event().wait(FOREVER_S)

    assert signal.getsignal(signal.SIGUSR1) == before


def test_outside_of_the_main_thread_the_ending_is_told_at_the_end_of_the_block() -> None:
    """Only the main thread can be interrupted."""
    found: list[BaseException] = []
    seen = threading.Event()

    def look() -> str:
        seen.set()
        return "is gone"

    def work() -> None:
        watch = make_watch()
        watch.add("the emulator", look)
        try:
            with watch:
                seen.wait(FOREVER_S)
        except PartEndedError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(FOREVER_S)

    assert ["the emulator is gone"] == [str(error).partition(",")[0] for error in found]


def test_a_disk_without_room_is_an_ending(tmp_path: Path) -> None:
    """Before files are cut off; the statement gives both numbers."""
    assert disk_space(tmp_path, free_min_bytes=0)() is None
    assert "MB are free, a run needs 1000000000000 MB" in (disk_space(tmp_path, free_min_bytes=10**18)() or "")
