"""Addresses of REST APIs in stacks."""

import pytest

from dlqlab.emulator.apigateway.stack_addresses import reachable

HERE = "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://abc.execute-api.us-east-1.amazonaws.com/Prod/hello/", f"{HERE}/_aws/execute-api/abc/Prod/hello/"),
        ("https://abc.execute-api.us-gov-west-1.127.0.0.1/prod", f"{HERE}/_aws/execute-api/abc/prod"),
        ("http://abc.execute-api.eu-west-1.amazonaws.com", f"{HERE}/_aws/execute-api/abc"),
        ("abc.execute-api.eu-west-1.amazonaws.com", None),
        ("https://abc.execute-api.eu-west-1.example.com/x", None),
        ("https://sqs.eu-west-1.amazonaws.com/000000000000/q", None),
        ("arn:aws:execute-api:us-east-1:000000000000:abc/*/*/*", None),
        ("see https://abc.execute-api.us-east-1.amazonaws.com/x", None),
    ],
)
def test_address_becomes_a_path_of_the_emulator(value: str, expected: str | None) -> None:
    """An address of a REST API and nothing else."""
    assert expected == reachable(value, HERE)
