"""Queue URLs for those that take AWS's form only."""

from types import SimpleNamespace
from typing import Any

import pytest
from localstack.services.sqs.models import SqsQueue, StandardQueue
from localstack.services.sqs.utils import parse_queue_url

from dlqlab.emulator.sqs import queue_addresses
from dlqlab.emulator.sqs.queue_addresses import is_of_provider, without_region

TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.23.8"
)
BOTO = "Boto3/1.42.54 md/Botocore#1.42.54 ua/2.1 os/linux lang/python#3.13.0"


@pytest.mark.parametrize(("user_agent", "is_so"), [(TERRAFORM, True), (BOTO, False), ("", False)])
def test_provider_is_known_by_its_user_agent(user_agent: str, is_so: bool) -> None:
    assert is_so is is_of_provider(user_agent)


def test_url_loses_its_region_and_still_names_the_queue() -> None:
    """The form that the provider splits into three, and that LocalStack takes from it again."""
    url = without_region("http://127.0.0.1:4566/queue/eu-west-1/000000000000/orders", "eu-west-1")

    assert "http://127.0.0.1:4566/000000000000/orders" == url
    assert ("000000000000", None, "orders") == parse_queue_url(url)


def test_url_of_another_form_stays() -> None:
    assert "http://host/000000000000/queue" == without_region("http://host/000000000000/queue", "eu-west-1")


@pytest.mark.parametrize(
    ("user_agent", "ending"),
    [(TERRAFORM, "/000000000000/orders"), (BOTO, "/queue/eu-west-1/000000000000/orders")],
    ids=["terraform", "boto3"],
)
def test_answer_is_in_the_form_of_whoever_asks(monkeypatch: pytest.MonkeyPatch, user_agent: str, ending: str) -> None:
    """Others get the URL that says the region."""
    monkeypatch.setattr("localstack.config.SQS_ENDPOINT_STRATEGY", "path")
    monkeypatch.setattr(SqsQueue, "url", SqsQueue.url)
    queue_addresses.patch()
    queue: Any = StandardQueue("orders", "eu-west-1", "000000000000")
    context = SimpleNamespace(request=SimpleNamespace(headers={"User-Agent": user_agent}, scheme="http", host="h"))
    url = queue.url(context)

    assert url.endswith(ending)
    assert url.count("/") == ending.count("/") + 2
