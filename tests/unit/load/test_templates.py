"""Bodies of messages from templates."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.errors import UsageError
from dlqlab.load.messages import EntrySettings, FromTemplate
from dlqlab.load.tasks import task_id
from dlqlab.load.templates import render

ALL = (
    '{"id": "{{key}}", "n": {{n}}, "seed": {{seed}}, "q": {{int 1 12}}, "p": {{float 1 9}}, "c": "{{choice a b c}}", '
    '"who": "{{name}}", "w": "{{word}}", "u": "{{uuid}}", "t": "{{text 200}}", "r": {{row.price}}, "s": "{{row.sku}}"}'
)
ROWS = [{"sku": 'desk 24"', "price": 7}, {"sku": "lamp", "price": 9}]


@given(st.integers(0, 2**31), st.integers(0, 10**6))
def test_every_field_makes_sound_json(seed: int, counter: int) -> None:
    body = json.loads(render(ALL, seed=seed, counter=counter, rows=ROWS))

    assert body["id"] == task_id(seed, counter)
    assert (body["n"], body["seed"]) == (counter, seed)
    assert 1 <= body["q"] <= 12
    assert 1 <= body["p"] <= 9
    assert body["c"] in {"a", "b", "c"}
    assert len(body["t"]) == 200
    assert (body["s"], body["r"]) == (ROWS[counter % 2]["sku"], ROWS[counter % 2]["price"])
    assert render(ALL, seed=seed, counter=counter, rows=ROWS) == render(ALL, seed=seed, counter=counter, rows=ROWS)


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.integers(0, 10**6))
def test_a_body_can_be_sent_again_under_another_key(seed: int, other: int, counter: int) -> None:
    before, again = (
        json.loads(render(ALL, seed=one, counter=counter, rows=ROWS, draws_seed=seed)) for one in (seed, other)
    )

    assert before == json.loads(render(ALL, seed=seed, counter=counter, rows=ROWS))
    assert again == {**before, "id": task_id(other, counter), "seed": other}


def test_only_the_tasks_that_are_named_are_sent() -> None:
    entry = EntrySettings(kind="queue", address="q", body='{"id": "{{key}}", "n": {{n}}}', numbers=(3, 17))
    again = EntrySettings.from_plain(json.loads(json.dumps(asdict(entry))))

    sent = [FromTemplate(again, 5).compose(counter) for counter in (0, 1)]

    assert [one.task_id for one in sent] == [task_id(5, 3), task_id(5, 17)]
    assert [json.loads(one.body)["n"] for one in sent] == [3, 17]


def test_fields_of_one_kind_are_drawn_apart() -> None:
    drawn = [json.loads(render("[{{int 1 1000}}, {{int 1 1000}}]", seed=1, counter=n)) for n in range(20)]
    assert any(one != other for one, other in drawn)
    assert len({one for one, _ in drawn}) > 10


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{keys}}", r"\{\{keys\}\} is not known: give one of key, n, seed, int"),
        ("{{int 1}}", "give two whole numbers"),
        ("{{float a b}}", "give two numbers"),
        ("{{choice}}", "give the words"),
        ("{{text -1}}", "give a length of 0 to 262144"),
        ("{{name long}}", "it takes no arguments"),
        ("{{row.sku}}", r"entry\.rows is not: name a CSV or JSONL file"),
    ],
)
def test_field_that_cannot_be_filled_is_named(template: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render(template, seed=1, counter=0)


def test_column_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="has the columns sku, price"):
        render("{{row.colour}}", seed=1, counter=0, rows=ROWS)
