"""The API against its own OpenAPI description, which is exported from the deployed API."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import unsupported_method

from dlqlab import paths
from dlqlab.openapi.document import document, export, to_text
from tests.integration.conftest import Deployed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

COMMITTED = paths.DOCS / "openapi.json"
EXAMPLES = 25
"""For each operation: bounded, since each example is a real request to the emulator."""
GATEWAYS_OWN = [unsupported_method]
"""Of all checks of schemathesis, what API Gateway answers in its own way: 403 to a method that it does not know."""
schema = schemathesis.openapi.from_path(COMMITTED)


def test_committed_description_is_that_of_the_deployed_api(deployed: Deployed) -> None:
    """docs/openapi.json is what dlqlab openapi --no-server --out docs/openapi.json writes."""
    assert to_text(document(export(deployed.target), server=None)) == COMMITTED.read_text()


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_requests_by_the_description_get_answers_by_the_description(
    case: schemathesis.Case, deployed: Deployed
) -> None:
    """Good and bad requests drawn from the description are answered as it says, never with a 5xx."""
    case.call_and_validate(base_url=deployed.url, excluded_checks=GATEWAYS_OWN, timeout=30)


def test_task_as_it_is_shown_fits_the_description(deployed: Deployed) -> None:
    """A dead-lettered task, with attempts and errors, has the described form in every field."""
    deployed.submit("openapi-error", "ERROR")
    deployed.submit("openapi-success", "SUCCESS")
    deployed.wait_terminal(["openapi-error", "openapi-success"])
    operation = schema["/tasks/{taskId}"]["GET"]
    for task_id in ("openapi-error", "openapi-success"):
        case = operation.Case(path_parameters={"taskId": task_id})
        response = case.call_and_validate(base_url=deployed.url, excluded_checks=GATEWAYS_OWN, timeout=30)
        assert 200 == response.status_code
