"""Which package or folder stands in for a layer's ARN."""

import pytest

from dlqlab.contracts.function_needs import source_problem
from dlqlab.emulator.functions.layer_sources import KNOWN, source_of, unknown

PYTHON = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPython"


@pytest.mark.parametrize(
    ("arn", "source"),
    [
        (f"{PYTHON}V3-python313-x86_64:27", "aws-lambda-powertools[all]>=3,<4"),
        (f"{PYTHON}V3-python312-arm64:1", "aws-lambda-powertools[all]>=3,<4"),
        (f"{PYTHON}V2:51", "aws-lambda-powertools[all]>=2,<3"),
        (f"{PYTHON}V2-Arm64:51", "aws-lambda-powertools[all]>=2,<3"),
        ("arn:aws:lambda:us-east-2:336392948345:layer:AWSSDKPandas-Python312:26", "awswrangler>=3,<4"),
        ("arn:aws:lambda:us-east-1:017000801447:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:27", None),
        ("arn:aws:lambda:us-east-1:177933569100:layer:AWS-Parameters-and-Secrets-Lambda-Extension:11", None),
    ],
)
def test_known_layers(arn: str, source: str | None) -> None:
    """In every region and version, of their makers' account only."""
    assert source_of(arn, {}) == source


def test_packages_of_powertools_for_typescript() -> None:
    """All from npm, of the layer's major version."""
    source = source_of("arn:aws:lambda:us-east-1:094274105915:layer:AWSLambdaPowertoolsTypeScriptV2:44", {}) or ""

    assert source.startswith("npm:@aws-lambda-powertools/logger@2 ")
    assert all(one.endswith("@2") for one in source.split())


def test_what_the_project_says_comes_first() -> None:
    """Also of a layer that is known; its first pattern that matches, with a version or without."""
    arn = f"{PYTHON}V2:51"

    assert source_of(arn, {f"{PYTHON}V2": "a", "arn:aws:lambda:*:layer:*": "b"}) == "a"
    assert source_of(arn, {f"{PYTHON}V2:50": "a", "arn:aws:lambda:*:layer:*": "b"}) == "b"
    assert (
        source_of(arn, {f"{PYTHON}V2:50": "a"})
        == KNOWN["arn:aws:lambda:*:017000801446:layer:AWSLambdaPowertoolsPythonV2*"]
    )


def test_every_known_source_is_one_that_a_project_may_give() -> None:
    """By the project file's own rule."""
    assert [source_problem(source) for source in KNOWN.values()] == [None] * len(KNOWN)


def test_unknown_layer_is_refused_with_the_line_to_add() -> None:
    """For all of its versions."""
    text = unknown("arn:aws:lambda:us-east-1:177933569100:layer:Secrets:11")

    assert 'dlqlab.toml: [layers] "arn:aws:lambda:us-east-1:177933569100:layer:Secrets:*" = ' in text
    assert "account 177933569100" in text
