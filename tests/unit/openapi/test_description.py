"""The OpenAPI document without an emulator: what is described against the app's code and the committed copy."""

import json
from typing import Any

import pytest
from chalicelib import answers, submissions, submit

from dlqlab import paths
from dlqlab.errors import DeployError
from dlqlab.openapi.description import OPERATIONS, SCHEMAS
from dlqlab.openapi.document import document, to_text
from taskrules.tasks import Status

COMMITTED = (paths.DOCS / "openapi.json").read_text()


def exported(*operations: tuple[str, str]) -> dict[str, Any]:
    """What API Gateway would export of these operations, as far as it is used."""
    found: dict[str, dict[str, Any]] = {}
    for path, method in operations:
        found.setdefault(path, {"options": {}})[method] = {}
    return {"openapi": "3.0.1", "info": {"title": "dlqlab", "version": "1.0"}, "paths": found}


def test_committed_document_is_the_description() -> None:
    """docs/openapi.json is up to date: write it with dlqlab openapi --no-server --out docs/openapi.json."""
    assert to_text(document(exported(*OPERATIONS), server=None)) == COMMITTED


def test_server_is_the_apis_url() -> None:
    """A document of a deployment says where it is."""
    assert [{"url": "http://x/api"}] == document(exported(*OPERATIONS), server="http://x/api")["servers"]


def test_operation_that_nobody_described_is_refused() -> None:
    """A new route must be described before it is exported."""
    with pytest.raises(DeployError, match="DELETE /tasks is deployed and not described"):
        document(exported(*OPERATIONS, ("/tasks", "delete")), server=None)


def test_operation_that_is_not_deployed_is_refused() -> None:
    """The document promises nothing that the deployed API lacks."""
    with pytest.raises(DeployError, match="GET /health is described and not deployed"):
        document(exported(*(found for found in OPERATIONS if found[0] != "/health")), server=None)


def test_every_answer_of_a_submission_is_described() -> None:
    """Each status that the app answers with, and no other."""
    codes = {submit.ACCEPTED, submit.REPLAYED, submit.CONFLICT, answers.UNAVAILABLE}
    codes |= {submissions.BAD_REQUEST, submissions.TOO_LARGE, submissions.UNSUPPORTED}

    assert {str(code) for code in codes} == set(OPERATIONS["/tasks", "post"]["responses"])


def test_references_lead_somewhere() -> None:
    """Each $ref names a schema, and each schema is used."""
    used = {part.split('"')[0] for part in COMMITTED.split("#/components/schemas/")[1:]}

    assert set(SCHEMAS) == used
    assert list(Status) == json.loads(COMMITTED)["components"]["schemas"]["Task"]["properties"]["status"]["enum"]
