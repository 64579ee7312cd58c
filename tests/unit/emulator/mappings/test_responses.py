"""What a function's response says about its batch, by the conditions that AWS documents."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.emulator.mappings.responses import failed_ids, has_failures, misread_ids, named_ids

BATCH = frozenset({"a", "b", "c"})
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(sorted(BATCH)),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["itemIdentifier", "x"]), inner),
    max_leaves=8,
)


def _items(*ids: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}


@pytest.mark.parametrize("response", [None, {}, {"statusCode": 200}, {"batchItemFailures": None}, _items()], ids=str)
def test_success_without_failures(response: Any) -> None:
    """Nothing, null, an empty response and one without or with an empty list: complete success."""
    assert set() == failed_ids(json.dumps(response), BATCH)


@pytest.mark.parametrize("payload", [None, "", b""])
def test_empty_payload_is_success(payload: str | bytes | None) -> None:
    """No response at all is the null response."""
    assert set() == failed_ids(payload, BATCH)


@pytest.mark.parametrize(
    "response",
    [
        _items(""),
        _items(None),
        _items("unknown"),
        _items("a", "unknown"),
        _items(7),
        _items(["a"]),
        _items({"a": "b"}),
        {"batchItemFailures": [{"wrongKey": "a"}]},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": [None]},
        {"batchItemFailures": "a"},
        {"batchItemFailures": {"itemIdentifier": "a"}},
        {"batchItemFailures": True},
        {"batchItemFailures": False},
        {"batchItemFailures": 0},
        "ok",
        True,
        [],
        5,
    ],
    ids=str,
)
def test_malformed_response_fails_the_batch(response: Any) -> None:
    """A wrong key, an empty, null or unknown identifier, and whatever is not the documented form."""
    assert failed_ids(json.dumps(response), BATCH) == BATCH


@pytest.mark.parametrize("payload", ["{", b"\xff\xfe\xfd", b"not json", "[" * 100_000])
def test_response_that_is_not_json_fails_the_batch(payload: str | bytes) -> None:
    """Also bytes that are no text, and nesting without end."""
    assert failed_ids(payload, BATCH) == BATCH


@pytest.mark.parametrize(
    ("ids", "expected"),
    [(("a",), {"a"}), (("a", "a"), {"a"}), (("c", "a", "b"), BATCH)],
    ids=["one", "one twice", "all"],
)
def test_named_messages_failed(ids: tuple[str, ...], expected: set[str]) -> None:
    """Those and no others; a message that is named twice failed once."""
    assert expected == failed_ids(json.dumps(_items(*ids)).encode(), BATCH)


@settings(deadline=None)
@given(json_values)
def test_failed_messages_are_always_of_the_batch(failures: Any) -> None:
    """Whatever a function returns: nothing raises, and what is called failed was in the batch."""
    assert failed_ids(json.dumps({"batchItemFailures": failures}), BATCH) <= BATCH


@pytest.mark.parametrize("payload", [None, "", b"", "no JSON: batchItemFailures", '["batchItemFailures"]', "null"])
def test_nothing_named(payload: str | bytes | None) -> None:
    assert set() == named_ids(payload)


@given(st.lists(st.sampled_from(sorted(BATCH)), unique=True))
def test_named_as_failed_where_it_is_asked_for(ids: list[str]) -> None:
    """What a mapping that reports failures takes for failed is what the answer names."""
    payload = json.dumps(_items(*ids)).encode()
    assert named_ids(payload) == failed_ids(payload, BATCH) == set(ids)


NAMED = [{"itemIdentifier": "a"}]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"BatchItemFailures": NAMED}, {"a"}),
        ({"batch_item_failures": [{"item_identifier": "a"}, {"item_identifier": "b"}]}, {"a", "b"}),
        ({"batchItemFailures ": ["a"]}, {"a"}),
        ({"statusCode": 200, "body": json.dumps({"batchItemFailures": NAMED})}, {"a"}),
        ({"result": {"batchItemFailures": NAMED}}, {"a"}),
        ([{"itemIdentifier": "c"}], {"c"}),
        ({"statusCode": 500}, BATCH),
        ({"statuscode": "404", "body": "{}"}, BATCH),
        ({"statusCode": 200, "processed": ["a", "b"]}, set()),
        ({"statusCode": None, "itemFailures": 0}, set()),
        ({"BatchItemFailures": []}, set()),
        ({"BatchItemFailures": [{"itemIdentifier": "of another batch"}]}, set()),
        ({"code": 500, "ids": ["a"]}, set()),
        ("{ itemIdentifier", set()),
        (None, set()),
    ],
    ids=lambda value: repr(sorted(value)) if isinstance(value, set | frozenset) else repr(value),
)
def test_failures_that_lambda_does_not_read(answer: Any, expected: set[str]) -> None:
    """Meant so by whoever wrote the function; what it says of messages that were done is no failure."""
    assert misread_ids(json.dumps(answer).encode(), BATCH) == expected


@settings(deadline=None)
@given(json_values)
def test_no_answer_is_too_odd_to_be_looked_at(value: Any) -> None:
    for name in ("BatchItemFailures", "statusCode", "itemIdentifier"):
        assert misread_ids(json.dumps({name: value}), BATCH) <= BATCH


@pytest.mark.parametrize("failures", ["text", 3, {"itemIdentifier": "a"}, [3, "a", {"itemIdentifier": 3}]], ids=str)
def test_malformed_lists_name_nothing(failures: Any) -> None:
    assert set() == named_ids(json.dumps({"batchItemFailures": failures}))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"batchItemFailures": []}', True),
        ('{"batchItemFailures": null}', True),
        (b"null", False),
        ('"batchItemFailures"', False),
        ("no JSON: batchItemFailures", False),
        ('{"done": 3}', False),
    ],
)
def test_an_answer_that_tells_of_failures_is_an_object_with_that_field(payload: str | bytes, *, expected: bool) -> None:
    assert has_failures(payload) is expected
