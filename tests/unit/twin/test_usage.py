"""Counts of use follow from the totals of a simulation by the rules of AWS's price list."""

from dataclasses import replace

import pytest

from dlqlab.twin import usage
from dlqlab.twin.contract import Totals

NOTHING = Totals(
    tasks=0, accepted=0, completed=0, dead_lettered=0, open=0, expired=0, attempts=0, failed_attempts=0, receives=0,
    skipped=0, put_off=0, invocations=0, wasted_invocations=0, timeouts=0, crashes=0, throttles=0, cold_starts=0,
    processor_busy_s=0.0, monitor_invocations=0, monitor_busy_s=0.0, api_busy_s=0.0, empty_receives=0,
    visibility_changes=0, peak_visible=0, peak_in_flight=0, peak_receives_per_s=0, load_s=0.0, drained_s=0.0,
    drained=True,
)  # fmt: skip
TEN = replace(NOTHING, tasks=10, accepted=10, completed=10, attempts=10, receives=10, invocations=1)
"""Ten tasks that succeed in one batch."""


def test_batch_is_sent_one_by_one_received_and_deleted_at_once() -> None:
    """Ten sends, one receive, one delete: 12 requests."""
    assert 12 == usage.sqs_requests(TEN, 200)


def test_single_batches_cost_a_receive_and_a_delete_each() -> None:
    """The same ten tasks at batch size 1: 30 requests."""
    assert 30 == usage.sqs_requests(replace(TEN, invocations=10), 200)


def test_batch_over_ten_is_received_in_several_calls() -> None:
    """A batch of 100 messages is ten calls of ReceiveMessage and ten of DeleteMessageBatch, beside 100 sends."""
    hundred = replace(NOTHING, tasks=100, accepted=100, completed=100, attempts=100, receives=100, invocations=1)

    assert 120 == usage.sqs_requests(hundred, 200)


def test_payload_is_charged_by_64_kib() -> None:
    """A message of 200 KB is four requests to send, and the receive of ten of them is charged by their bytes."""
    sends, received, deleted = 10 * 4, 10 * 200_200 / 65_536, 1

    assert sends + received + deleted == pytest.approx(usage.sqs_requests(TEN, 200_000))


def test_retries_polls_and_dead_letters_cost_requests() -> None:
    """A backoff is one request, an empty poll one, a breaker's new message one, a dead letter's batch two."""
    more = replace(TEN, visibility_changes=3, empty_receives=5, put_off=2, dead_lettered=1, monitor_invocations=1)

    assert 3 + 5 + 2 + 2 == usage.sqs_requests(more, 200) - usage.sqs_requests(TEN, 200)


def test_wasted_invocation_deletes_nothing() -> None:
    """An invocation without a success has nothing to delete."""
    failed = replace(TEN, completed=0, wasted_invocations=1)

    assert 11 == usage.sqs_requests(failed, 200)


def test_writes_of_a_task() -> None:
    """Create, mark, index twice, claim, complete; the item of 900 bytes grows over 1 KB with its history."""
    assert 10 * (2 * 1 + 2) + 10 * 2 * 2 == usage.write_units(TEN, 200)


def test_dead_letter_is_archived_and_closed() -> None:
    """Two writes more, the archived letter of 1 unit and the item of 2."""
    assert 1 + 2 == usage.write_units(replace(TEN, dead_lettered=1), 200) - usage.write_units(TEN, 200)


def test_nothing_costs_nothing() -> None:
    """Without tasks there is no use, not even a unit that was rounded up."""
    counts = (usage.sqs_requests(NOTHING, 200), usage.write_units(NOTHING, 200), usage.log_bytes(NOTHING, 200))

    assert (0, 0, 0) == counts
