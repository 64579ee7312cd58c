"""What a function of the emulator reaches, and what not."""

import pytest

from tests.integration.conftest import FunctionFactory

pytestmark = pytest.mark.integration


def test_function_reaches_the_emulator_by_localstacks_names(make_function: FunctionFactory) -> None:
    """From SDK and sockets, on the port that projects write; nothing outside, which its log tells."""
    function = make_function(
        """
        import json, os, boto3, urllib.request
        def handler(event, context):
            places = ["http://localhost.localstack.cloud:4566", "http://sqs.us-east-1.localhost.localstack.cloud:4566",
                      "http://localstack:4566", "http://host.docker.internal:4566", "http://localhost:4566"]
            found = [boto3.client("sqs", endpoint_url=place).list_queues()["ResponseMetadata"]["HTTPStatusCode"]
                     for place in places]
            try:
                urllib.request.urlopen("https://api.example.com/")
            except OSError as error:
                found.append(str(error.reason)[:50])
            return [*found, "DLQLAB_NETWORK" in os.environ]
        """,
        Timeout=30,
    )
    result = function.invoke()

    assert result.payload == [200] * 5 + ["[Errno 111] api.example.com:443 is outside of this", False]
    assert any("[dlqlab] refused: api.example.com:443 is outside of this machine" in line for line in result.log)
