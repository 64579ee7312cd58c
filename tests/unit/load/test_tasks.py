"""Task ids and payloads as functions of seed and counter."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.load.tasks import payload, request_body, script, task_id, to_json

SEEDS = st.integers(0, 2**63 - 1)
COUNTERS = st.integers(0, 10_000_000)


def test_ids_are_unique_and_sort_by_counter() -> None:
    """Every counter of a seed has its own id, and text order is sending order."""
    ids = [task_id(1, n) for n in range(2000)]

    assert ids[:2] == ["t-1-00000000", "t-1-00000001"]
    assert sorted(set(ids)) == ids


@given(SEEDS, COUNTERS, st.integers(0, 2000))
def test_a_payload_never_exceeds_its_size_but_for_the_bare_counter(seed: int, counter: int, size: int) -> None:
    """The JSON is exactly as long as asked for, or ends less than a padding short, or is only the counter."""
    value = payload(seed, counter, size)
    length = len(to_json(value).encode())

    if "padding" in value:
        assert length == size
    elif "order" in value:
        assert size - 13 < length <= size
    else:
        assert value == {"n": counter}


@given(SEEDS, COUNTERS)
def test_a_payload_is_the_same_every_time(seed: int, counter: int) -> None:
    """The harness can compute after the run what the clients sent."""
    assert payload(seed, counter, 300) == payload(seed, counter, 300)


def test_payloads_vary() -> None:
    """Different tasks carry different orders, in every field that people would vary."""
    values = [payload(1, n, 400) for n in range(200)]

    assert len({value["order"] for value in values}) == 200
    for field in ("product", "quantity", "currency", "coupon"):
        assert len({value[field] for value in values}) > 3
    assert not all(to_json(value).isascii() for value in values)


@pytest.mark.parametrize("size", [0, 1, 200, 262_144])
def test_the_body_is_the_task_as_json(size: int) -> None:
    """Id and payload arrive as they are, at the bounds of the size too."""
    value = payload(3, 5, size)

    body = json.loads(request_body('t-3-"5"', to_json(value)))

    assert {"taskId": 't-3-"5"', "payload": value} == body


def test_scripted_tasks_are_half_errors_and_half_successes() -> None:
    """The share of scripted tasks is the rate's within 5 standard deviations, no task is scripted at rate 0."""
    texts = [script(1, n, 0.5) for n in range(4000)]

    assert {None, "ERROR", "SUCCESS"} == set(texts)
    assert all(abs(texts.count(text) - 1000) < 5 * (4000 * 0.25 * 0.75) ** 0.5 for text in ("ERROR", "SUCCESS"))
    assert {None} == {script(1, n, 0.0) for n in range(100)}
    assert '"ERROR"' == to_json("ERROR")
