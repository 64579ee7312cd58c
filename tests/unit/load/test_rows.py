"""Rows for templates from files."""

from pathlib import Path

import pytest

from dlqlab.errors import UsageError
from dlqlab.load.rows import read_rows


def test_csv_and_json_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sku,price\nlamp,7\n")
    (tmp_path / "a.jsonl").write_text('{"sku": "lamp", "price": 7}\n\n')

    assert read_rows(tmp_path / "a.csv") == [{"sku": "lamp", "price": "7"}]
    assert read_rows(tmp_path / "a.jsonl") == [{"sku": "lamp", "price": 7}]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "x", "give a file that ends in .csv, .jsonl or .ndjson"),
        ("a.csv", "sku\n", "has 0 rows"),
        ("a.jsonl", "{", "a.jsonl:1 is not JSON"),
        ("a.jsonl", "[1]", "a.jsonl:1 is no JSON object"),
        ("b.csv", None, "cannot be read"),
    ],
)
def test_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        read_rows(tmp_path / name)
