"""What of AWS a pipeline of somebody's own can use here: ten statements for the fidelity card.

Each names what it goes by and the test that tries it on a running emulator.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """A statement. ``source``: titles of AWS's documentation; ``page``: ours; ``tried_by``: tests of the checkout."""

    name: str
    statement: str
    source: str
    page: str
    tried_by: tuple[str, ...]


SERVED = (
    Served(
        "nothing pretended",
        "a resource, attribute, update, layer, runtime or schedule that cannot be made fails its deployment by name; "
        "dlqlab check says it before",
        "CloudFormation: Stack failure options, Fn::GetAtt, update behaviors of stack resources",
        "docs/check.md",
        (
            "tests/integration/test_stacks.py::test_change_set_names_what_cannot_be_made",
            "tests/integration/test_stacks.py::test_attribute_that_is_not_there_fails_the_stack",
            "tests/integration/test_stacks.py::test_update_that_cannot_be_made_fails",
        ),
    ),
    Served(
        "services for pipelines",
        "queues, functions, tables, streams, topics, buckets, buses, schedules, pipes, Firehose, state machines, "
        "secrets, parameters, keys, logs, metrics and stacks, each loaded when first called; a call of any other "
        "service says so",
        "the API reference of each service",
        "docs/services.md",
        ("tests/integration/test_stacks.py::test_call_of_a_service_that_is_not_served_says_so",),
    ),
    Served(
        "runtimes",
        "Python 3.9 to 3.14, Node.js 18 to 24 with the AWS SDK v3, provided.al2 and provided.al2023 with scripts and "
        "binaries, wrapper scripts, extensions; others are refused at creation",
        "Lambda: Lambda runtimes, Using the Lambda runtime API, Extensions API",
        "docs/layers.md",
        (
            "tests/integration/test_other_runtimes.py::test_node_function_works_off_a_queue_with_lambdas_sdk",
            "tests/integration/test_other_runtimes.py::test_bootstrap_of_the_bundle_runs_if_it_is_executable",
            "tests/integration/test_other_runtimes.py::test_extension_of_a_layer_gets_each_invocation",
        ),
    ),
    Served(
        "layers",
        "a function's own lie under /opt in order, with the paths that AWS sets; those of other accounts hold what the "
        "project file says or what is known of them, any other is refused by name",
        "Lambda: Packaging your layer content, Working with layers",
        "docs/layers.md",
        (
            "tests/integration/test_layers.py::test_paths_of_layers_are_those_that_aws_sets",
            "tests/integration/test_layers.py::test_layer_that_nobody_knows_is_refused_with_the_line_to_add",
        ),
    ),
    Served(
        "names inside functions",
        "LocalStack's names and ports lead Python and Node.js functions to this emulator; nothing else outside of this "
        "machine is reached unless it is allowed",
        "LocalStack: Accessing LocalStack via the endpoint URL",
        "docs/layers.md#network",
        (
            "tests/integration/test_function_network.py::test_function_reaches_the_emulator_by_localstacks_names",
            "tests/functional/emulator/test_function_network.py::test_node_reaches_the_emulator_by_every_name",
        ),
    ),
    Served(
        "HTTP APIs and function URLs",
        "routes, stages, payload formats 1.0 and 2.0, CORS, JWT and Lambda authorizers, integrations with functions, "
        "queues and buses, by API, stacks, SAM and OpenAPI, at addresses that resolve",
        "API Gateway: Working with HTTP APIs; Lambda: Creating and managing function URLs",
        "docs/http-api.md",
        (
            "tests/integration/test_http_apis.py::test_routes_of_a_stack",
            "tests/integration/test_http_apis.py::test_tokens",
            "tests/integration/test_http_apis.py::test_a_queue_behind_an_api",
            "tests/integration/test_gateway.py::test_function_url_can_be_reached",
        ),
    ),
    Served(
        "in front of queues",
        "topics with filters and dead letters, rules and buses, schedules that fire, notifications of buckets, pipes, "
        "streams of tables and of Kinesis with retries and destinations, custom resources that are called",
        "SNS: Subscription filter policies; EventBridge: rules, Scheduler, Pipes; DynamoDB Streams and Lambda "
        "triggers; CloudFormation: Custom resources",
        "docs/services.md",
        (
            "tests/integration/test_recorded_topics.py::test_fan_out_of_an_invocation_is_followed_to_every_queue",
            "tests/integration/test_stack_updates.py::test_rule_is_updated_and_deleted_on_its_bus",
            "tests/integration/test_schedules.py::test_targets_of_all_kinds_are_called",
            "tests/integration/test_stack_updates.py::test_bucket_notifies_another_queue",
            "tests/integration/test_pipes.py::test_messages_are_filtered_enriched_and_put_into_form",
            "tests/integration/test_streams.py::test_poisoned_record_is_singled_out_and_told_of",
            "tests/integration/test_kinesis.py::test_poisoned_record_is_singled_out_and_told_of",
            "tests/integration/test_stacks.py::test_custom_resource_is_called_through_its_life",
        ),
    ),
    Served(
        "FIFO mappings",
        "the batches of a message group one at a time and in order, groups beside each other; a failed record holds "
        "its group back until it is done or a dead letter",
        "Lambda: Using Lambda with Amazon SQS (FIFO queues); SQS: FIFO delivery logic",
        "docs/mappings.md",
        (
            "tests/integration/test_mappings.py::test_fifo_groups_run_beside_each_other_and_each_in_order",
            "tests/integration/test_mappings.py::test_failed_record_of_a_fifo_queue_holds_its_group_back_until_it_is_a_dead_letter",
        ),
    ),
    Served(
        "IAM, if asked for",
        "with --enforce-iam each call of a function and each delivery of a service is allowed or refused by the "
        "policies of role, queue, topic, function and key, with AWS's error",
        "IAM: Policy evaluation logic",
        "docs/iam.md",
        (
            "tests/integration/test_asked_for.py::test_a_function_does_what_its_role_may",
            "tests/integration/test_asked_for.py::test_a_topic_needs_the_queues_policy",
        ),
    ),
    Served(
        "quotas and latency, if asked for",
        "with --limits aws calls beyond the quotas of an account are throttled; with --latency aws they take times of "
        "a table that can be edited",
        "Lambda quotas; Amazon SQS message quotas; Amazon API Gateway quotas; the sources in each row of the table",
        "docs/limits.md",
        (
            "tests/integration/test_asked_for.py::test_lambda_throttles_its_api_and_functions",
            "tests/integration/test_asked_for.py::test_messages_in_flight_are_limited",
            "tests/integration/test_asked_for.py::test_calls_take_the_time_of_the_table",
        ),
    ),
)
