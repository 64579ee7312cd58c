"""The scenarios of the checkout, and the command on them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli.program import main
from dlqlab.contracts.scenario import Pipeline, Scenario
from dlqlab.contracts.scenarios import known
from dlqlab.lint.rule import Severity
from dlqlab.lint.rule import lint as apply
from dlqlab.lint.rules import RULES
from dlqlab.lint.settings import of_scenario
from dlqlab.specimens import task_system


def run(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, ["lint", *arguments])


def warned(scenario: Scenario) -> set[str]:
    """The rules that say more than information."""
    result = apply(of_scenario(scenario, task_system("local")), RULES)
    return {finding.rule.id for finding in result.findings if finding.rule.severity is not Severity.INFO}


EXPECTED = {
    # The outage is shown without what would help against it.
    "outage": {"storm-is-spread", "retries-outlast-outage"},
    # Tasks come back after the visibility timeout: six times the function's would make the run long.
    "timeout": {"visibility-is-ample"},
    "crash-before-effect": {"visibility-is-ample"},
    "crash-after-effect": {"visibility-is-ample"},
}


@pytest.mark.parametrize("scenario", list(known()), ids=lambda scenario: scenario.name)
def test_scenario_has_only_the_warnings_that_it_is_for(scenario: Scenario) -> None:
    """No scenario of the checkout breaks a rule unless that is what it shows."""
    assert EXPECTED.get(scenario.name, set()) == warned(scenario)


def test_scenario_is_what_its_deployment_will_be() -> None:
    """A scenario's mapping reports failed items, as dlqlab deploy sets it; no limit is None, not 0."""
    settings = of_scenario(Scenario(name="s", pipeline=Pipeline(max_concurrency=0)), task_system("local"))

    assert settings.tasks.mapping
    assert (("ReportBatchItemFailures",), None) == (
        settings.tasks.mapping.response_types,
        settings.tasks.mapping.max_concurrency,
    )
    assert settings.redrive
    assert 3 == settings.redrive.max_receive_count


def test_command_passes_a_scenario_without_errors() -> None:
    """Warnings and information alone are exit code 0."""
    result = run("outage", "--brief")

    assert 0 == result.exit_code
    assert "0 error, 2 warning, 1 info" in result.output
    assert "why:" not in result.output


def test_strict_command_fails_on_warnings() -> None:
    """With --strict a warning is exit code 1, information is not."""
    assert 1 == run("outage", "--strict").exit_code
    assert 0 == run("default", "--strict").exit_code


def test_command_says_why_source_and_remedy() -> None:
    """Each finding comes with its reason, where the rule is from, and what to do."""
    output = run("default").output

    assert "receives-are-few: maxReceiveCount 3" in output
    assert {"why:", "remedy:", "source:"} <= set(output.split())


def test_command_prints_json() -> None:
    """The same for programs, with the rules that were not checked."""
    (result,) = json.loads(run("default", "--json").output)

    assert {"error": 0, "warning": 0, "info": 1} == result["counts"]
    assert ["receives-are-few"] == [finding["rule"] for finding in result["findings"]]
    assert "retention-range" in result["unchecked"]


def test_impossible_scenario_is_refused_with_its_rule(tmp_path: Path) -> None:
    """A file that breaks a hard rule is wrong usage: it is refused when it is loaded."""
    path = tmp_path / "bad.toml"
    path.write_text("[pipeline]\nbatch_size = 11\n")
    result = run(str(path))

    assert 3 == result.exit_code
    assert "a batch_size over 10 needs a window" in result.stderr


def test_place_of_a_stack_without_a_stack_is_wrong_usage() -> None:
    """Otherwise the scenario would be checked and the account that was meant would not."""
    result = run("--target", "aws")

    assert 3 == result.exit_code
    assert "give --stack, too" in result.stderr
