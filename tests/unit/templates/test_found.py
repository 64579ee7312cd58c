"""The outputs of tools: cdk.out, .serverless, plans of Terraform."""

import json
from pathlib import Path

import pytest

from dlqlab.deploy.templates import templates_of
from dlqlab.errors import UsageError
from dlqlab.templates.pipeline import topology
from dlqlab.templates.resources import UNKNOWN

QUEUE = {"Resources": {"Orders": {"Type": "AWS::SQS::Queue"}}}
PLAN = {
    "format_version": "1.2",
    "planned_values": {
        "root_module": {
            "resources": [
                {
                    "address": "aws_sqs_queue.dead",
                    "mode": "managed",
                    "type": "aws_sqs_queue",
                    "name": "dead",
                    "values": {"name": "dead", "visibility_timeout_seconds": 30},
                },
                {
                    "address": "aws_sqs_queue.orders",
                    "mode": "managed",
                    "type": "aws_sqs_queue",
                    "name": "orders",
                    "values": {"name": "orders", "visibility_timeout_seconds": 12},
                },
                {"address": "data.aws_region.here", "mode": "data", "type": "aws_region", "name": "here"},
            ],
            "child_modules": [
                {
                    "address": "module.work[0]",
                    "resources": [
                        {
                            "address": "module.work[0].aws_lambda_function.worker",
                            "mode": "managed",
                            "type": "aws_lambda_function",
                            "name": "worker",
                            "values": {"function_name": "worker", "timeout": 5, "reserved_concurrent_executions": -1},
                        },
                        {
                            "address": "module.work[0].aws_lambda_event_source_mapping.m",
                            "mode": "managed",
                            "type": "aws_lambda_event_source_mapping",
                            "name": "m",
                            "values": {"batch_size": 10, "event_source_arn": "arn:aws:sqs:us-east-1:1:orders"},
                        },
                    ],
                }
            ],
        }
    },
    "configuration": {
        "root_module": {
            "resources": [
                {
                    "address": "aws_sqs_queue.orders",
                    "expressions": {"redrive_policy": {"references": ["aws_sqs_queue.dead.arn", "aws_sqs_queue.dead"]}},
                }
            ],
            "module_calls": {
                "work": {
                    "module": {
                        "resources": [
                            {
                                "address": "aws_lambda_event_source_mapping.m",
                                "expressions": {"function_name": {"references": ["aws_lambda_function.worker.arn"]}},
                            }
                        ]
                    }
                }
            },
        }
    },
}


def test_stacks_of_a_cloud_assembly_and_of_its_stages(tmp_path: Path) -> None:
    inner = tmp_path / "cdk.out" / "assembly-dev"
    inner.mkdir(parents=True)
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-dev"}}
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}}
    assets = {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}}
    for folder, artifacts in (
        (inner.parent, {"dev": stage, "a.assets": assets, "a": stack}),
        (inner, {"a": stack}),
    ):
        (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        (folder / "a.template.json").write_text(json.dumps(QUEUE))

    expected = [inner / "a.template.json", inner.parent / "a.template.json"]
    assert [one.file for one in templates_of(tmp_path / "cdk.out")] == expected
    assert [one.file for one in templates_of(tmp_path)] == expected


def test_package_of_serverless(tmp_path: Path) -> None:
    folder = tmp_path / ".serverless"
    folder.mkdir()
    path = folder / "cloudformation-template-update-stack.json"
    path.write_text(json.dumps(QUEUE))

    assert [[path], [path]] == [[one.file for one in templates_of(given)] for given in (folder, tmp_path)]


def test_plan_of_terraform_is_a_pipeline(tmp_path: Path) -> None:
    """What is known after the apply only comes from the configuration's expressions, within modules as well."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN))
    (plan,) = templates_of(path)
    found = topology(plan)
    (mapping,) = found.consumers

    assert (mapping.queue, mapping.function) == ("aws_sqs_queue.orders", "module.work[0].aws_lambda_function.worker")
    assert (found.queue("aws_sqs_queue.orders").dead_letters, found.functions[0].reserved_concurrency) == (
        "aws_sqs_queue.dead",
        None,
    )
    assert plan.resources[1].at("RedrivePolicy", "maxReceiveCount") is UNKNOWN


def test_folder_with_a_project_file_uses_its_section(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "queues.yaml").write_text(json.dumps(QUEUE))
    (tmp_path / "dlqlab.toml").write_text(
        '[deploy]\ntool = "cloudformation"\nfolder = "infra"\ntemplate = "queues.yaml"\n'
    )

    assert [one.file for one in templates_of(tmp_path)] == [tmp_path / "infra" / "queues.yaml"]


@pytest.mark.parametrize(
    ("file", "said"),
    [("cdk.json", "run in it: cdk synth"), ("main.tf", "terraform show -json"), ("notes.txt", "give its file")],
)
def test_folder_without_a_template_says_what_to_run(tmp_path: Path, file: str, said: str) -> None:
    (tmp_path / file).write_text("{}")
    with pytest.raises(UsageError) as refused:
        templates_of(tmp_path)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        (
            "plan.json",
            {"planned_values": {"root_module": {"resources": [{"mode": "managed"}]}}},
            "terraform show -json",
        ),
        ("manifest.json", {"artifacts": {"a": {"type": "aws:cloudformation:stack"}}}, "as cdk synth writes it"),
    ],
)
def test_output_of_another_shape_is_one_line(tmp_path: Path, name: str, body: object, said: str) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(body))
    with pytest.raises(UsageError) as refused:
        templates_of(path if name == "plan.json" else tmp_path)

    assert said in str(refused.value)
