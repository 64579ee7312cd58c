"""Many look-ups find what one by one finds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.analysis.indexed_rows import IndexedRows
from dlqlab.analysis.keys import find
from dlqlab.analysis.lives import lives
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.contracts.recording import Recording
from tests.support.lives import BATCH, body, completed, dead_lettered, ran, request, submitted
from tests.support.recordings import recording

KEYS = ["t-1", "t-2", "m1", "m2", "r1", "p1", "api-invocation", "nobody", "t-1#2", "", 'a"b', "ü"]
SHARED = recording(
    messages=BATCH,
    invocations=[*request()["invocations"], ran(0.5, "p1", ["m1", "m2"], ["m2"])],
    calls=request()["calls"],
    bodies=[body("t-1", runId="run-9"), body("t-2", runId="run-9")],
)


@pytest.mark.parametrize("record", [completed(), dead_lettered(), SHARED, recording()])
def test_lives_are_those_of_the_single_look_up(record: Recording) -> None:
    """For each key, also with the rows fetched ahead: found in the same ways, the same life."""
    one, many = Rows(record), IndexedRows(record, KEYS)
    many.fetch_ahead({"m1", "m2"})

    for key in KEYS:
        found = find(one, key)
        assert find(many, key) == found
        assert lives(many, found) == lives(one, found)


TEXT = st.text('t1-#|/ "\\:{},é', max_size=6)


@given(key=TEXT, texts=st.lists(TEXT, max_size=4), number=st.integers(-20, 20))
def test_bodies_that_have_a_key_are_found_wherever_it_stands(key: str, texts: list[str], number: int) -> None:
    """As a value, inside JSON in a text, as a number, as the whole body, as part of an item's key."""
    bodies = [json.dumps(texts), json.dumps({"inner": json.dumps({"id": texts}), "n": number}), *texts]
    record = recording(
        messages=[submitted(str(at), f"m{at}") for at in range(len(bodies))],
        calls=[{"item_key": json.dumps({"id": {"S": text}}), "request_id": f"q{at}"} for at, text in enumerate(texts)],
        bodies=[{"body_sha256": f"hash-{at}", "body": text, "body_bytes": 1} for at, text in enumerate(bodies)],
    )

    for each in (key, str(number)):
        assert find(IndexedRows(record, [key, str(number)]), each) == find(Rows(record), each)
