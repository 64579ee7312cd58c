"""The price table is checked when it is read; a bill is counts times prices."""

import dataclasses
from pathlib import Path

import pytest

from dlqlab.costs.prices import DEFAULT, bill, load_prices
from dlqlab.costs.usage import Usage
from dlqlab.errors import UsageError

MILLION = Usage(
    sqs_requests=1e6,
    api_requests=1e6,
    lambda_requests=1e6,
    lambda_gb_s=1e6,
    dynamodb_write_units=1e6,
    dynamodb_read_units=1e6,
    log_gb=1.0,
    metric_hours=730.0,
)


def table(tmp_path: Path, old: str, new: str) -> Path:
    """The project's table with one text replaced."""
    path = tmp_path / "prices.toml"
    text = DEFAULT.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_bill_is_counts_times_prices() -> None:
    """A million of each is what the price pages say of a million."""
    found = bill(MILLION, load_prices())
    expected = {
        "SQS": 0.40,
        "API Gateway": 3.50,
        "Lambda": 0.20 + 16.6667,
        "DynamoDB": 0.625 + 0.125,
        "CloudWatch Logs": 0.50,
        "CloudWatch metrics": 0.30,
    }

    assert expected == pytest.approx(dict(found.services))
    assert sum(expected.values()) == pytest.approx(found.total)


def test_every_price_says_where_it_is_from() -> None:
    """Each price has a unit and a source, the table a date and a region."""
    prices = load_prices()

    assert {field.name for field in dataclasses.fields(Usage)} == set(prices.prices)
    assert "us-east-1" == prices.region
    assert [] == [name for name, price in prices.prices.items() if "https://aws.amazon.com/" not in price.source]


def test_table_can_be_edited(tmp_path: Path) -> None:
    """Another price is another bill."""
    dearer = load_prices(table(tmp_path, "usd = 0.40", "usd = 0.80"))

    assert 0.40 == pytest.approx(bill(MILLION, dearer).total - bill(MILLION, load_prices()).total)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("usd = 0.40", "usd = -1", "prices.sqs_requests.usd is -1"),
        ("usd = 0.40", 'usd = "free"', "prices.sqs_requests.usd is 'free'"),
        ("usd = 0.40", "usd = nan", "prices.sqs_requests.usd is nan"),
        ("per = 1_000_000", "per = 0", "prices.sqs_requests.per is 0"),
        ("per = 1_000_000\n", "", "prices.sqs_requests: give exactly"),
        ("[prices.log_gb]", "[prices.log_tb]", "differing: log_gb, log_tb"),
        ("noted = 2026-11-22", 'noted = "lately"', "noted is 'lately'"),
        ('region = "us-east-1"', 'region = ""', "region is ''"),
        ('region = "us-east-1"', "region", "is not TOML"),
    ],
)
def test_table_that_cannot_be_used_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The error names the file, the field and the value."""
    path = table(tmp_path, old, new)

    with pytest.raises(UsageError, match=r"prices\.toml") as caught:
        load_prices(path)

    assert said in str(caught.value)


def test_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere is wrong usage."""
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read"):
        load_prices(tmp_path / "none.toml")
