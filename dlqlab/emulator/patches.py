"""Changes to LocalStack's behaviour: each small, named, switchable, and guarded against a changed LocalStack.

Each patch is declared here and lies in the module of its name, in the folder of the service that it changes. That
module has a function ``patch()``, which makes the change, and a docstring that says why. What of LocalStack it
replaces, or relies on, stands in ``pins.toml``: see ``pins``.
"""

import importlib
from dataclasses import dataclass

from dlqlab.contracts.recorded import RECORDER
from dlqlab.emulator import pins, settings


@dataclass(frozen=True, slots=True)
class Patch:
    """One change; ``summary`` is a sentence for users, ``folder`` is the dotted name of one of this package."""

    name: str
    folder: str
    summary: str
    asked_by: str = ""
    """The setting without which it is not applied; empty where it is applied by default."""

    @property
    def module(self) -> str:
        """The dotted name of the module that makes the change."""
        return f"{__package__}.{self.folder}.{self.name}"


PATCHES: tuple[Patch, ...] = (
    Patch(
        "visibility_timers",
        "sqs",
        "Messages return when their visibility timeout or delay is over, not at the next tick of a 1 s clock.",
    ),
    Patch(
        "concurrent_pollers",
        "mappings",
        "Pollers of an SQS event source mapping by Lambda's rules, each waiting at the queue, instead of one "
        "that sleeps.",
    ),
    Patch(
        "stream_pollers",
        "mappings",
        "Mappings of DynamoDB and Kinesis streams: order per key, retries, halves, partial failures, a destination.",
    ),
    Patch(
        "sqs_records",
        "mappings",
        "Mappings hand over SQS messages as AWS does: bodies byte for byte, every attribute, filters, at "
        "most 6 MB a batch.",
    ),
    Patch(
        "mapping_rules",
        "mappings",
        "Mappings refuse what Lambda refuses: settings of other sources, limits, patterns, a visibility too short.",
    ),
    Patch(
        "fifo_groups",
        "sqs",
        "Messages of a FIFO queue keep the order of their group: none is received while an earlier one of it "
        "is in flight.",
    ),
    Patch(
        "invoke_in_process",
        "mappings",
        "Event source mappings and API Gateway call the Lambda service in-process instead of over HTTP to themselves.",
    ),
    Patch(
        "store_function_logs",
        "logs",
        "Function logs go straight into the log store, each line with the time at which it was printed.",
    ),
    Patch(
        "subscription_filters",
        "logs.subscriptions",
        "Subscription filters send the matching lines of a log group to functions and streams, outside of what logs "
        "them.",
    ),
    Patch(
        "log_filter_resources",
        "logs",
        "Stacks make metric filters, and each of their subscription filters by its own name.",
    ),
    Patch(
        "log_group_resources",
        "logs",
        "Log groups of stacks have the retention that their template gives, also after an update.",
    ),
    Patch(
        "batched_metrics",
        "metrics",
        "CloudWatch metrics of SQS and Lambda are summed up in memory and written once a second as statistic sets.",
    ),
    Patch(
        "embedded_metrics",
        "logs.metrics",
        "Log lines in embedded metric format become CloudWatch metrics, of the second that the line names.",
    ),
    Patch(
        "metric_filters",
        "logs.metrics",
        "Metric filters count the lines of their own log group that match their pattern, those of functions included.",
    ),
    Patch(
        "oldest_message",
        "sqs",
        "SQS reports ApproximateAgeOfOldestMessage, which LocalStack leaves out, together with its other gauges.",
    ),
    Patch(
        "match_dimensions",
        "metrics",
        "Metric statistics match the dimensions that were asked for, not every metric whose dimensions begin alike.",
    ),
    Patch(
        "skip_debug_handlers",
        "gateway",
        "Requests skip LocalStack's handlers for its own debug log and usage statistics.",
    ),
    Patch(
        "unserved_services",
        "gateway",
        "A call of a service that the emulator does not serve is answered with its name and the ones that are served.",
    ),
    Patch(
        "skip_dynamodb_parsing",
        "dynamodb",
        "DynamoDB requests reach their provider as they came, instead of parsed into a form that it does not read.",
    ),
    Patch(
        "dynamodb_shortcut",
        "dynamodb",
        "DynamoDB calls that the fast path can serve go to it straight from the server, past LocalStack's "
        "chain of handlers.",
    ),
    Patch(
        "dynamodb_rules",
        "dynamodb",
        "DynamoDB answers and refuses as AWS: numbers, sizes, expressions, batches, transactions, PartiQL, "
        "descriptions.",
    ),
    Patch(
        "dynamodb_streams",
        "dynamodb",
        "DynamoDB Streams: what changes in a table with a stream can be read for 24 hours, by API and by mappings.",
    ),
    Patch(
        "kinesis_streams",
        "kinesis",
        "Kinesis Data Streams: shards with their records for 24 hours or longer, by API and by mappings.",
    ),
    Patch(
        "time_to_live",
        "dynamodb",
        "Items whose TTL is over are deleted within seconds, and their stream says that DynamoDB did it.",
    ),
    Patch(
        "sqs_shortcut",
        "sqs",
        "SendMessage and ChangeMessageVisibility go to the SQS service straight from the server, past the "
        "chain of handlers.",
    ),
    Patch(
        "rest_api_shortcut",
        "apigateway",
        "Requests to a deployed REST API go to API Gateway straight from the server, past the chain of "
        "handlers of AWS's APIs.",
    ),
    Patch(
        "shared_timers",
        "functions",
        "Timers of execution environments share one thread.",
    ),
    Patch(
        "ids_without_system_calls",
        "gateway",
        "Random ids cost no system call: they are drawn from a generator that the system's randomness seeds once.",
    ),
    Patch(
        "header_lookup",
        "gateway",
        "Headers of requests and answers are looked up without writing every name in lower case.",
    ),
    Patch(
        "spill_log_lines",
        "logs",
        "Log lines are kept in a file, and a time window of them is found by bisection.",
    ),
    Patch(
        "filter_patterns",
        "logs",
        "FilterLogEvents and TestMetricFilter obey filter patterns; lines come by time across the streams of a group.",
    ),
    Patch(
        "log_reads_shortcut",
        "logs",
        "FilterLogEvents goes to the log store straight from the server, past LocalStack's chain of handlers.",
    ),
    Patch(
        "create_function_without_poll",
        "functions",
        "CreateFunction answers as soon as the function is ready instead of at the next half second.",
    ),
    Patch(
        "queue_limits",
        "sqs",
        "SQS refuses what AWS refuses: delays, visibility timeouts, attributes, redrive policies, a second "
        "purge at once.",
    ),
    Patch(
        "batch_entries",
        "sqs",
        "Each entry of an SQS batch succeeds or fails by itself, with AWS's error code and with who is at fault.",
    ),
    Patch(
        "receipt_handles",
        "sqs",
        "Only the receipt handle of a message's latest delivery deletes it or changes its visibility timeout.",
    ),
    Patch(
        "receive_attempts",
        "sqs",
        "A receive from a FIFO queue that is tried again by its ReceiveRequestAttemptId gives the same messages.",
    ),
    Patch(
        "redelivery_order",
        "sqs",
        "A message that was received three times or more comes back at the end of its standard queue, not at "
        "the front.",
    ),
    Patch(
        "redrive",
        "sqs",
        "Dead letters and their redrive as AWS documents them: a redriven message is new, and a move loses nothing.",
    ),
    Patch(
        "message_retention",
        "sqs",
        "Messages expire when their queue's MessageRetentionPeriod is over, whatever state they are in.",
    ),
    Patch(
        "queue_addresses",
        "sqs",
        "Terraform's AWS provider gets queue URLs of AWS's form, as it takes no other.",
    ),
    Patch(
        "lambda_requests",
        "functions",
        "Lambda refuses reserved variables, values out of bounds, requests and payloads over its limits, "
        "with AWS's errors.",
    ),
    Patch(
        "rest_api_answers",
        "apigateway",
        "REST APIs answer 502, 413 and 504 to malformed answers of functions, large requests and slow "
        "functions, as AWS does.",
    ),
    Patch(
        "function_urls",
        "apigateway",
        "Function URLs have an address that every machine can reach, and their answers follow AWS's rules.",
    ),
    Patch(
        "stack_addresses",
        "apigateway",
        "The address of a REST API in a stack's outputs and variables is one that every machine can reach.",
    ),
    Patch(
        "custom_resources",
        "cloudformation",
        "Custom resources of stacks are made by their function or topic, which answers at a URL of the emulator.",
    ),
    Patch(
        "resource_attributes",
        "cloudformation",
        "An attribute that a resource does not have fails the deployment, instead of being the text unknown.",
    ),
    Patch(
        "unsupported_resources",
        "cloudformation",
        "A deployment with a resource that cannot be made fails before anything is made, and names each one.",
    ),
    Patch(
        "unsupported_updates",
        "cloudformation",
        "An update of a resource that the emulator cannot change fails, instead of leaving it as it was and saying "
        "otherwise.",
    ),
    Patch(
        "table_resources",
        "cloudformation",
        "Tables of stacks are updated: throughput, streams, TTL, indexes one at a time, backups, protection, tags.",
    ),
    Patch(
        "stream_resources",
        "cloudformation",
        "Kinesis streams of stacks are made with all that their template says, and updated.",
    ),
    Patch(
        "rule_resources",
        "cloudformation",
        "Rules of stacks are updated, and deleted from the bus that they are on.",
    ),
    Patch(
        "function_resources",
        "cloudformation",
        "Aliases, URLs and asynchronous settings of functions in stacks are updated.",
    ),
    Patch(
        "bucket_resources",
        "cloudformation",
        "Buckets of stacks are updated: notifications, versioning, CORS, website, object lock, tags.",
    ),
    Patch(
        "alarm_resources",
        "cloudformation",
        "Alarms of stacks are updated, and keep their state and history.",
    ),
    Patch(
        "rest_api_resources",
        "cloudformation",
        "REST APIs of stacks are updated: their definition, and the deployment and variables of their stages.",
    ),
    Patch(
        "topic_resources",
        "cloudformation",
        "Topics of stacks are named after them, and keep the name; subscriptions lose what a template takes away.",
    ),
    Patch(
        "replaced_resources",
        "cloudformation",
        "A resource is replaced where a value differs that cannot be updated, not where it refers to what was updated.",
    ),
    Patch(
        "rolled_back_stacks",
        "cloudformation",
        "A deployment that failed ends as rolled back, with its reason, and never as complete.",
    ),
    Patch(
        "http_apis",
        "httpapi",
        "HTTP APIs of API Gateway: made by its API, by stacks and from OpenAPI, served at an address that resolves.",
    ),
    Patch(
        "event_rules",
        "events",
        "EventBridge refuses patterns that it does not understand, and targets that cannot be, when they are put.",
    ),
    Patch(
        "event_dead_letters",
        "events",
        "An event that EventBridge cannot deliver goes to the target's dead-letter queue, with AWS's attributes.",
    ),
    Patch(
        "schedules_fire",
        "schedules",
        "Schedules of EventBridge Scheduler call their targets, by rate, cron or once, with retries and dead letters.",
    ),
    Patch(
        "schedule_resources",
        "schedules",
        "Schedules of stacks are made with all that their template says, and updated.",
    ),
    Patch(
        "scheduled_rules",
        "schedules",
        "Scheduled rules of EventBridge fire when they are due, once each time, and as long as they are there.",
    ),
    Patch(
        "alarm_histories",
        "alarms",
        "DescribeAlarmHistory tells each change of an alarm at its time, newest first; an update keeps the "
        "alarm's state.",
    ),
    Patch(
        "alarm_actions",
        "alarms",
        "An alarm's actions are taken one by one after its state has changed, and one that fails changes nothing else.",
    ),
    Patch(
        "logs_insights",
        "logs.insights",
        "CloudWatch Logs Insights answers queries (filter, parse, stats, sort, dedup) and refuses what it "
        "does not know.",
    ),
    Patch(
        "version_updates",
        "functions",
        "An update or deletion of a function lets running invocations end by themselves; later ones use the "
        "new version.",
    ),
    Patch(
        "environment_assignment",
        "functions",
        "Invocations at the same time take execution environments without failing each other.",
    ),
    Patch(
        "steady_stores",
        "core",
        "A function, queue or topic that is made or deleted fails no call or invocation that is under way.",
    ),
    Patch(
        "async_updates",
        "functions",
        "Asynchronous invocations are neither lost nor delayed by an update of their function, nor cut short "
        "by its deletion.",
    ),
    Patch(
        "function_dead_letters",
        "functions",
        "A dead letter of an asynchronous invocation is kept as AWS keeps it, and names its invocation.",
    ),
    Patch(
        "served_runtimes",
        "functions",
        "A function whose runtime cannot be served is refused at its creation; one that is served otherwise says so.",
    ),
    Patch(
        "file_modes",
        "functions",
        "A function's files have the modes that its archive gives them, so that what is not executable is not run.",
    ),
    Patch(
        "compiled_modules",
        "functions",
        "A bundle with modules that were compiled for another Python or processor than runs it is refused.",
    ),
    Patch(
        "public_layers",
        "functions",
        "Layers of other accounts hold what dlqlab.toml says, or what is known of them; any other is refused by name.",
    ),
    Patch(
        "isolated_observers",
        "core",
        "What only counts, times or reports an invocation or a queue operation cannot fail it, nor what "
        "depends on its result.",
    ),
    Patch(
        "pipes",
        "pipes",
        "EventBridge Pipes: from queues and streams through filter, enrichment and template to a target.",
    ),
    Patch(
        "delivery_streams",
        "firehose",
        "Amazon Data Firehose delivers to S3: buffered, transformed by functions, from calls or Kinesis streams.",
    ),
    Patch(
        "xray",
        "xray",
        "X-Ray keeps the segments that functions send, and answers with them and what the recorder knows of a trace.",
    ),
    Patch(
        "aws_limits",
        "limits",
        "With --limits, calls beyond the quotas of an AWS account are throttled, with AWS's errors.",
        asked_by=settings.LIMITS,
    ),
    Patch(
        "aws_latency",
        "latency",
        "With --latency, calls, invocations and initialisations take as long as on AWS, drawn from a table.",
        asked_by=settings.LATENCY,
    ),
    Patch(
        "enforce_iam",
        "iam",
        "With --enforce-iam, a call of a function or service is allowed or refused by the policies of IAM, as on AWS.",
        asked_by=settings.ENFORCE_IAM,
    ),
    Patch(
        "inject_faults",
        "injection",
        "Faults from outside strike messages, invocations, calls and requests, where a plan is put in force.",
    ),
    Patch(
        "owed_work",
        "owed",
        "The emulator says what it is still going to do: events, schedules, stream records, executions, deliveries.",
    ),
    Patch(
        "recorder",
        "recorder",
        "The emulator writes down what happens to every message, each invocation and each call; it changes nothing "
        "of them.",
    ),
)
"""In the order in which they are applied."""

ALL: tuple[str, ...] = tuple(patch.name for patch in PATCHES if not patch.asked_by)
"""The names of all that need not be asked for, in the order in which they are applied."""

_REMEDY = "use the locked LocalStack"
_BY_NAME = {patch.name: patch for patch in PATCHES}


class PatchError(RuntimeError):
    """No patch has that name, or LocalStack is not the one that a patch was written for."""


def by_default() -> tuple[str, ...]:
    """All, and those that are asked for; without the recorder where DLQLAB_RECORDER is off.

    Raises:
        UsageError: DLQLAB_RECORDER, or a setting that asks for one, makes no sense.
    """
    given, is_recorded = settings.asked(), settings.is_recorder_on()
    names = tuple(patch.name for patch in PATCHES if not patch.asked_by or patch.asked_by in given)
    return names if is_recorded else tuple(name for name in names if name != RECORDER)


def apply(names: tuple[str, ...]) -> None:
    """Apply the named patches.

    Raises:
        PatchError: a name is unknown, or LocalStack's source changed under a patch or under the emulator itself.
    """
    chosen = [named(name) for name in names]
    check_pins()
    for patch in chosen:
        module = importlib.import_module(patch.module)
        check_pins(
            about=f"patch {patch.name}: ",
            remedy=f"{_REMEDY}, or start without this patch (--without-patch {patch.name})",
        )
        module.patch()


def named(name: str) -> Patch:
    """The patch of that name.

    Raises:
        PatchError: there is none.
    """
    if name not in _BY_NAME:
        raise PatchError(f"no patch named {name}: there are {', '.join(ALL)}")
    return _BY_NAME[name]


def check_pins(*, about: str = "", remedy: str = _REMEDY) -> None:
    """Compare what the modules that were loaded since the last call rely on with what LocalStack has.

    Raises:
        PatchError: something differs; all of it is named.
    """
    differences = pins.unlike_loaded()
    if differences:
        raise PatchError(f"{about}{'; '.join(map(str, differences))}; {remedy}")
