"""Log lines are kept in a file, and a time window of them is found by bisection.

moto keeps each line as an object in memory, 0.4 KB for a line of 0.2 KB, and reads all of them for every page of every
look into them. The answers are the same.
"""

from localstack.services.logs import provider
from localstack.utils.patch import patch as replace
from moto.logs.models import LogEvent, LogStream

from dlqlab.emulator import log_intake
from dlqlab.emulator.log_lines import Lines
from dlqlab.emulator.patches import expect
from dlqlab.emulator.shelf import shelf

NAME = "filed_logs"


def patch() -> None:
    expect(NAME, LogStream.__init__, "df67faef0c7d")
    expect(NAME, LogStream.put_log_events, "16317b7e99ec")
    expect(NAME, LogStream.filter_log_events, "26285fdf86c3")
    expect(NAME, LogStream._update, "7b959d373188")  # noqa: SLF001
    expect(NAME, LogEvent.__init__, "bb6367725c29")
    expect(NAME, LogEvent.to_filter_dict, "ccf01d57b079")

    @replace(LogStream.__init__)
    def init(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202
        original(self, *args, **kwargs)
        self.events = Lines(shelf(), log_intake.settle)

    @replace(LogStream.filter_log_events)
    def filter_log_events(_original, self, start_time, end_time, filter_pattern):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        lines = self.events.window(start_time, end_time)
        if filter_pattern:
            matches = provider.get_pattern_matcher(filter_pattern)
            lines = [line for line in lines if matches(filter_pattern, line)]
        return [line | {"logStreamName": self.log_stream_name} for line in lines]

    @replace(LogStream._update)  # noqa: SLF001
    def update(_original, self):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        self.first_event_timestamp, self.last_event_timestamp = self.events.bounds_ms() or (None, None)
