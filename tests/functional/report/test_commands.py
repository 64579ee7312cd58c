"""The commands about finished runs and runs to come, as a shell calls them; no emulator anywhere."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli import main
from dlqlab.cli.judge import LIMITS
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Load, Scenario
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy
from tests.support.histories import simulate_run

LOAD = Load(tasks=400, duration_s=10, rate_per_s=40)
DOCUMENT = Path(__file__).parents[3] / "docs" / "report.md"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDir]:
    """Two runs of one policy with different seeds, and one of a policy without retries."""
    root = tmp_path_factory.mktemp("runs")
    scenarios = {
        "one": Scenario(name="one", load=LOAD),
        "again": Scenario(name="again", seed=2, load=LOAD),
        "worse": Scenario(name="worse", seed=3, load=LOAD, retry=RetryPolicy(max_retries=0)),
        "calm": Scenario(name="calm", seed=4, load=LOAD, faults=FaultPlan(failure_rate=0.001)),
    }
    return {name: simulate_run(scenario, root=root, run_id=name) for name, scenario in scenarios.items()}


def call(*arguments: str | Path) -> Result:
    """The command line; what it prints is in ``output``."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_no_worse_run_passes_the_gate(runs: dict[str, RunDir]) -> None:
    """The same policy with another seed stays within limits that the data can tell: exit code 0."""
    result = call("compare", runs["one"].path, runs["again"].path, "--max-dlq", "5pp", "--max-unanswered", "2pp")

    assert 0 == result.exit_code, result.output
    assert "✓ valid: comparison again against one" in result.output


def test_worse_policy_is_stopped(runs: dict[str, RunDir], tmp_path: Path) -> None:
    """Without retries ten times as many tasks are dead letters: exit code 1, the setting named, a failure in JUnit."""
    junit, markdown = tmp_path / "gate.xml", tmp_path / "gate.md"
    result = call("compare", runs["one"].path, runs["worse"].path, "--junit", junit, "--markdown", markdown)

    assert 1 == result.exit_code, result.output
    assert "retry.max_retries 2 → 0" in result.output
    assert ["dlq_share"] == [
        case.get("name") for case in ET.parse(junit).iter("testcase") if case.find("failure") is not None
    ]
    assert "| ❌ | tasks in the dead-letter queue |" in markdown.read_text()


def test_too_little_data_is_neither(runs: dict[str, RunDir]) -> None:
    """A limit narrower than the interval gives exit code 2 and says how much more data would tell."""
    result = call("compare", runs["one"].path, runs["again"].path, "--max-dlq", "0.1pp")

    assert 2 == result.exit_code, result.output
    assert "times as much would tell" in result.output


def test_comparison_page_opens_offline(runs: dict[str, RunDir], tmp_path: Path) -> None:
    """One file with the gate's verdict first, four charts, both manifests; the run directories stay as they were."""
    before = sorted(path.name for path in runs["one"].path.iterdir())
    page = tmp_path / "pages" / "compare.html"
    result = call("compare", runs["one"].path, runs["worse"].path, "--html", page)
    text = page.read_text()

    assert 1 == result.exit_code, result.output
    assert text.index("worse against one") < text.index("<img ")
    assert 4 == text.count("<img ")
    assert "Changed settings: retry.max_retries 2 → 0." in text
    assert before == sorted(path.name for path in runs["one"].path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--max-dlq", "3"), "give a number with its unit such as 2pp, or none"),
        (("--max-lateness", "1pp"), "give a number with its unit such as 2s, or none"),
        (("--max-dlq", "none", "--max-unanswered", "none", "--max-lateness", "none"), "nothing would be judged"),
    ],
)
def test_wrong_limits_are_usage_errors(runs: dict[str, RunDir], arguments: tuple[str, ...], said: str) -> None:
    """A limit without its unit, of another unit, or no limit at all: exit code 3, before anything is compared."""
    result = call("compare", runs["one"].path, runs["again"].path, *arguments)

    assert 3 == result.exit_code
    assert said in result.output


def test_missing_run_is_a_usage_error(runs: dict[str, RunDir], tmp_path: Path) -> None:
    """A run that is not there is named."""
    result = call("compare", runs["one"].path, tmp_path / "gone")

    assert 3 == result.exit_code
    assert "no run" in result.output


def test_plan_says_tasks_and_time() -> None:
    """The default scenario needs 5,805 tasks, 97 s of load at its 60 a second, for one point at 95 %."""
    result = call("plan", "--precision", "1pp", "--confidence", "95")

    assert 0 == result.exit_code, result.output
    assert "8,068 attempts = 5,805 tasks" in result.output
    assert "97 s of load" in result.output


def test_plan_as_json() -> None:
    """The same for programs."""
    result = call("plan", "--precision", "2pp", "--json")

    found = json.loads(result.output)

    assert (0.02, 0.95, 2017) == (found["precision"], found["confidence"], found["needs"][0]["trials"])


@pytest.mark.parametrize("arguments", [("--precision", "1"), ("--precision", "0pp"), ("--confidence", "0.95")])
def test_ambiguous_precision_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    """A bare number could be a ratio or a percentage; 0.95 per cent of confidence is a mistake."""
    assert 3 == call("plan", *arguments).exit_code


def test_report_writes_junit_and_markdown(runs: dict[str, RunDir], tmp_path: Path) -> None:
    """The verdict as JUnit XML and Markdown, without a page where none is wanted; the exit code is the verdict's."""
    junit, markdown = tmp_path / "run.xml", tmp_path / "run.md"
    result = call("report", runs["calm"].path, "--no-page", "--junit", junit, "--markdown", markdown)
    verdict = json.loads(runs["calm"].verdict_path.read_text())

    assert {"valid": 0, "invalid": 1, "unknown": 2}[verdict["status"]] == result.exit_code
    assert [check["name"] for check in verdict["checks"]] == [
        case.get("name") for case in ET.parse(junit).iter("testcase")
    ]
    assert f"calm: {verdict['status']}" in markdown.read_text()
    assert not runs["calm"].html_path.exists()


def test_unwritable_summary_is_a_usage_error(runs: dict[str, RunDir], tmp_path: Path) -> None:
    """A file that cannot be written is named, with its reason."""
    result = call("report", runs["calm"].path, "--no-page", "--junit", tmp_path / "no" / "folder.xml")

    assert 3 == result.exit_code
    assert "cannot be written: No such file or directory" in result.output


@pytest.mark.parametrize("option", [option for option, _, _, _ in LIMITS.values()])
def test_limits_are_documented(option: str) -> None:
    """Each limit of the comparison stands in the documentation."""
    assert f"`{option}`" in DOCUMENT.read_text()
