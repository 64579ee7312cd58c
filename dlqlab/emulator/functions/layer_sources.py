"""What stands in for a layer of another account, by its ARN: what the project file says, else what is known. Pure."""

import fnmatch
from collections.abc import Mapping

_TYPESCRIPT = (
    "logger",
    "metrics",
    "tracer",
    "parameters",
    "idempotency",
    "batch",
    "parser",
    "jmespath",
    "event-handler",
)
KNOWN: Mapping[str, str] = {
    "arn:aws:lambda:*:017000801446:layer:AWSLambdaPowertoolsPythonV3-*": "aws-lambda-powertools[all]>=3,<4",
    "arn:aws:lambda:*:017000801446:layer:AWSLambdaPowertoolsPythonV2*": "aws-lambda-powertools[all]>=2,<3",
    "arn:aws:lambda:*:094274105915:layer:AWSLambdaPowertoolsTypeScriptV2:*": "npm:"
    + " ".join(f"@aws-lambda-powertools/{name}@2" for name in _TYPESCRIPT),
    "arn:aws:lambda:*:336392948345:layer:AWSSDKPandas-Python*": "awswrangler>=3,<4",
}
"""Layers that their makers also publish as packages. Sources: "Lambda layers" of Powertools for AWS Lambda (Python) and
(TypeScript), "AWS Lambda Managed Layers" of the AWS SDK for pandas.
"""


def source_of(arn: str, given: Mapping[str, str]) -> str | None:
    """The source of a layer version; None where neither the project nor we know one.

    A pattern may leave the version out. The first that matches counts, and the project's come before those known.
    """
    without_version = arn.rpartition(":")[0]
    for patterns in (given, KNOWN):
        for pattern, source in patterns.items():
            if any(fnmatch.fnmatchcase(name, pattern) for name in (arn, without_version)):
                return source
    return None


def unknown(arn: str) -> str:
    """The refusal of a layer without a source, with the line that gives it one."""
    pattern = arn.rpartition(":")[0]
    _, _, _, _, account, *_ = arn.split(":")
    return (
        f"Layer version {arn} is of account {account}, which cannot be reached from here. Say what it holds in "
        f'dlqlab.toml: [layers] "{pattern}:*" = "REQUIREMENT", "npm:NAME", or the path of a folder or zip file'
    )
