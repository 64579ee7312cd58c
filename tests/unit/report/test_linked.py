"""Tables of a notebook that lead to the page of tasks."""

import pandas as pd

from dlqlab.report.tasks.linked import Linked


def test_keys_lead_to_their_lives_and_text_stays_text() -> None:
    table = pd.DataFrame({"task": ["a/b#1", "<b>"], "age_s": [1.5, float("nan")]})
    html = Linked(table, "task", "runs/r 1/tasks.html")._repr_html_()

    assert '<a href="runs/r%201/tasks.html#a%2Fb%231">a/b#1</a></td><td>1.5</td>' in html
    assert ">&lt;b&gt;</a></td><td></td>" in html


def test_empty_table_says_none() -> None:
    empty = Linked(pd.DataFrame({"task": []}), "task", "")

    assert ('<td colspan="1">none</td>' in empty._repr_html_(), repr(empty)) == (True, "none")
