"""The document: what API Gateway exports of the deployed API, each operation with what the app says of it."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.deploy import chalice
from dlqlab.deploy.target import API_STAGE, Target
from dlqlab.errors import DeployError
from dlqlab.openapi.description import OPERATIONS, SCHEMAS

CORS_METHOD = "options"
"""Added by Chalice to each path for browsers; API Gateway answers it without the app, so it is left out."""


def export(target: Target) -> dict[str, Any]:
    """What API Gateway exports of the deployed API (GetExport, ``oas30``).

    Raises:
        DeployError: nothing is deployed, or the target cannot export.
    """
    api = chalice.deployed(target).get("rest_api")
    if api is None:
        raise DeployError(f"nothing is deployed for stage {target.stage} at {target.label}: run dlqlab deploy")
    client = target.client("apigateway")
    try:
        answer = client.get_export(
            restApiId=api["rest_api_id"], stageName=API_STAGE, exportType="oas30", accepts="application/json"
        )
        found = json.loads(answer["body"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        raise DeployError(f"API Gateway at {target.label} does not export the API: {error}") from error
    assert isinstance(found, dict)
    return found


def document(exported: Mapping[str, Any], *, server: str | None) -> dict[str, Any]:
    """The OpenAPI document; ``server`` is the API's URL, None for a document of no place.

    Raises:
        DeployError: an operation is deployed and not described, or described and not deployed.
    """
    deployed = {
        (path, method)
        for path, operations in exported["paths"].items()
        for method in operations
        if method != CORS_METHOD
    }
    differing = sorted(deployed ^ set(OPERATIONS))
    if differing:
        path, method = differing[0]
        known = "described and not deployed" if (path, method) in OPERATIONS else "deployed and not described"
        raise DeployError(f"{method.upper()} {path} is {known}: deploy this checkout, or describe it in dlqlab/openapi")
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method] = operation
    return {
        "openapi": exported["openapi"],
        "info": {
            "title": exported["info"]["title"],
            "version": exported["info"]["version"],
            "description": "The task pipeline's API. OPTIONS, which browsers ask before they send, is left out.",
        },
        **({"servers": [{"url": server}]} if server else {}),
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS)},
    }


def to_text(described: Mapping[str, Any]) -> str:
    """The document as it is kept in docs/openapi.json."""
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
