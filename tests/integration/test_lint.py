"""The rules held against the pipeline as it is really deployed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli.program import main
from dlqlab.lint.rule import LintResult, Severity
from dlqlab.lint.rule import lint as apply
from dlqlab.lint.rules import RULES
from dlqlab.lint.stack import of_stack
from dlqlab.waiting import wait_for
from tests.integration.conftest import Deployed

pytestmark = pytest.mark.integration

ACCEPTED = {
    "visibility-is-ample",  # the tests' scenario: 20 s, so that no test waits a minute for a crashed function
    "receives-are-few",  # the number of retries is the experiment
    "name-prefix",  # Chalice calls the API's function like the app and stage; the patch match_dimensions helps
}
SILENT_LOSS = "silent-loss"


def held(deployed: Deployed) -> LintResult:
    """The rules against the stack."""
    target = deployed.target
    (settings,) = of_stack(target.client, target.topology, subject="stack")
    return apply(settings, RULES)


def lint_command(deployed: Deployed) -> Result:
    """The command on the stack, found by its address."""
    return CliRunner().invoke(main, ["lint", "--stack", "--brief", "--target", str(deployed.target.endpoint)])


def broken(deployed: Deployed) -> set[str]:
    """The rules that the stack breaks."""
    return {finding.rule.id for finding in held(deployed).findings}


@contextmanager
def response_types(deployed: Deployed, types: list[Literal["ReportBatchItemFailures"]]) -> Iterator[None]:
    """The processor's mapping with these response types; as it was afterwards."""
    client, topology = deployed.target.client("lambda"), deployed.target.topology
    mapping = client.list_event_source_mappings(FunctionName=topology.function("processor").name)[
        "EventSourceMappings"
    ][0]

    def update(wanted: list[Literal["ReportBatchItemFailures"]]) -> None:
        client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=wanted)
        wait_for("the mapping", lambda: _is_settled(client, mapping["UUID"], wanted), deadline_s=20)

    update(types)
    try:
        yield
    finally:
        update(mapping["FunctionResponseTypes"])


def _is_settled(client: Any, uuid: str, wanted: Sequence[str]) -> tuple[bool, Any]:
    found = client.get_event_source_mapping(UUID=uuid)
    return found["State"] == "Enabled" and (found.get("FunctionResponseTypes") or []) == wanted, found


def test_deployed_stack_breaks_only_what_is_accepted(deployed: Deployed) -> None:
    """The stack that dlqlab deploys has no error, and each rule that it breaks is accepted for a reason."""
    result = held(deployed)

    assert 0 == result.count(Severity.ERROR)
    assert 0 == lint_command(deployed).exit_code
    assert broken(deployed) == ACCEPTED


def test_mapping_without_response_type_is_an_error(deployed: Deployed) -> None:
    """A mapping that somebody has set back is named as silent loss, and is sound again afterwards."""
    with response_types(deployed, []):
        during = broken(deployed)
        command = lint_command(deployed)

    assert {SILENT_LOSS} | ACCEPTED == during
    assert 1 == command.exit_code
    assert "error silent-loss: the mapping of dlqlab-local-tasks has response types []" in command.output
    assert broken(deployed) == ACCEPTED


def test_settings_that_aws_refuses_are_told(deployed: Deployed, aws: Callable[[str], Any]) -> None:
    """The emulator takes a visibility timeout shorter than the function's; the rules do not."""
    url = aws("sqs").get_queue_url(QueueName=deployed.target.topology.queue("tasks").name)["QueueUrl"]
    before = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    try:
        during = broken(deployed)
    finally:
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes=before)

    assert "visibility-covers-timeout" in during
    assert broken(deployed) == ACCEPTED
