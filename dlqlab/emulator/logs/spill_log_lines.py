"""Log lines are kept in a file, and a time window of them is found by bisection.

moto keeps each line as an object in memory, 0.4 KB for a line of 0.2 KB, and reads all of them for every page of every
look into them. The answers are the same.
"""

from localstack.services.logs import provider
from localstack.utils.patch import patch as replace
from moto.logs.models import LogStream

from dlqlab.emulator.core.spill_file import spill_file
from dlqlab.emulator.logs import intake
from dlqlab.emulator.logs.lines import Lines


def patch() -> None:

    @replace(LogStream.__init__)
    def init(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        original(self, *args, **kwargs)
        self.events = Lines(spill_file(), intake.settle)

    @replace(LogStream.filter_log_events)
    def filter_log_events(_original, self, start_time, end_time, filter_pattern):  # type: ignore[no-untyped-def]
        lines = self.events.window(start_time, end_time)
        if filter_pattern:
            matches = provider.get_pattern_matcher(filter_pattern)
            lines = [line for line in lines if matches(filter_pattern, line)]
        return [line | {"logStreamName": self.log_stream_name} for line in lines]

    @replace(LogStream._update)
    def update(_original, self):  # type: ignore[no-untyped-def]
        self.first_event_timestamp, self.last_event_timestamp = self.events.bounds_ms() or (None, None)
