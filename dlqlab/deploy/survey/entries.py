"""Where work comes in: routes of REST and HTTP APIs, function URLs, topics, rules, schedules, buckets, streams."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dlqlab.contracts.topology import Entry, EntryKind
from dlqlab.deploy.arns import name_of, service_of
from dlqlab.deploy.survey.calls import Clients, asked, pages

_FUNCTION_URI = re.compile(r"functions/(arn:aws[\w-]*:lambda:[^/]+)/invocations")
_QUEUE_URI = re.compile(r":sqs:path/[^/]+/([^/?]+)")
_STREAM = re.compile(r"arn:aws[\w-]*:(kinesis|dynamodb):[^:]*:\d*:(?:stream|table)/([^/]+)")
_STREAM_KINDS = {"kinesis": EntryKind.STREAM, "dynamodb": EntryKind.TABLE}
_BUCKET_KEYS = (("QueueConfigurations", "QueueArn"), ("LambdaFunctionConfigurations", "LambdaFunctionArn"))


@dataclass(frozen=True)
class Known:
    """Names of the queues and functions of a survey: what leads elsewhere is no entry of theirs."""

    queues: frozenset[str]
    functions: frozenset[str]

    def entry(self, kind: EntryKind, name: str, arn: str, filter_: str | None = None) -> Entry | None:
        """The entry that leads to the queue or function of this ARN."""
        target, service = name_of(arn), service_of(arn)
        if service == "sqs" and target in self.queues:
            return Entry(kind=kind, name=name, queue=target, filter=filter_)
        if service == "lambda" and target in self.functions:
            return Entry(kind=kind, name=name, function=target, filter=filter_)
        return None


def entries(clients: Clients, known: Known, notes: list[str]) -> tuple[Entry, ...]:
    """All entries that lead to a known queue or function; ``notes`` gets what does not answer."""
    sources = {
        "REST APIs": _rest_routes,
        "HTTP APIs": _http_routes,
        "function URLs": _function_urls,
        "topics": _subscriptions,
        "rules of EventBridge": _rules,
        "schedules": _schedules,
        "notifications of buckets": _notifications,
        "streams": _streams,
    }
    found: list[Entry] = []
    for what, read in sources.items():
        found += asked(what, notes, lambda read=read: [*read(clients, known)]) or []  # type: ignore[misc]
    return tuple(found)


def _rest_routes(clients: Clients, known: Known) -> Iterator[Entry]:
    client = clients("apigateway")
    for api in pages(client, "get_rest_apis", "items"):
        for resource in pages(client, "get_resources", "items", restApiId=api["id"], embed=["methods"]):
            for method, settings in resource.get("resourceMethods", {}).items():
                uri = settings.get("methodIntegration", {}).get("uri") or ""
                yield from _route(known, f"{method} {resource['path']}", uri)


def _route(known: Known, name: str, uri: str) -> Iterator[Entry]:
    function, queue = _FUNCTION_URI.search(uri), _QUEUE_URI.search(uri)
    if function:
        entry = known.entry(EntryKind.HTTP, name, function[1])
        if entry:
            yield entry
    elif queue and queue[1] in known.queues:
        yield Entry(kind=EntryKind.HTTP, name=name, queue=queue[1])


def _http_routes(clients: Clients, known: Known) -> Iterator[Entry]:
    client = clients("apigatewayv2")
    for api in pages(client, "get_apis", "Items"):
        integrations = {
            one["IntegrationId"]: one for one in pages(client, "get_integrations", "Items", ApiId=api["ApiId"])
        }
        for route in pages(client, "get_routes", "Items", ApiId=api["ApiId"]):
            target = integrations.get(route.get("Target", "").rpartition("/")[2], {})
            yield from _integrated(known, route["RouteKey"], target)


def _integrated(known: Known, name: str, integration: dict[str, Any]) -> Iterator[Entry]:
    uri = integration.get("IntegrationUri") or ""
    if uri.startswith("arn:") and service_of(uri) == "lambda":
        entry = known.entry(EntryKind.HTTP, name, uri)
        if entry:
            yield entry
        return
    queue = (integration.get("RequestParameters") or {}).get("QueueUrl", "").rpartition("/")[2]
    if queue in known.queues:
        yield Entry(kind=EntryKind.HTTP, name=name, queue=queue)
    else:
        yield from _route(known, name, uri)


def _function_urls(clients: Clients, known: Known) -> Iterator[Entry]:
    client = clients("lambda")
    for function in sorted(known.functions):
        for url in pages(client, "list_function_url_configs", "FunctionUrlConfigs", FunctionName=function):
            yield Entry(kind=EntryKind.HTTP, name=f"ANY {url['FunctionUrl']}", function=function)


def _subscriptions(clients: Clients, known: Known) -> Iterator[Entry]:
    client = clients("sns")
    for one in pages(client, "list_subscriptions", "Subscriptions"):
        entry = known.entry(EntryKind.TOPIC, name_of(one["TopicArn"]), one["Endpoint"])
        if entry:
            attributes = client.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
            yield known.entry(entry.kind, entry.name or "", one["Endpoint"], attributes.get("FilterPolicy")) or entry


def _rules(clients: Clients, known: Known) -> Iterator[Entry]:
    client = clients("events")
    for bus in pages(client, "list_event_buses", "EventBuses"):
        for rule in pages(client, "list_rules", "Rules", EventBusName=bus["Name"]):
            schedule = rule.get("ScheduleExpression")
            kind = EntryKind.SCHEDULE if schedule else EntryKind.BUS
            name = schedule or f"{bus['Name']}/{rule['Name']}"
            for target in pages(client, "list_targets_by_rule", "Targets", Rule=rule["Name"], EventBusName=bus["Name"]):
                entry = known.entry(kind, name, target["Arn"], rule.get("EventPattern"))
                if entry:
                    yield entry


def _schedules(clients: Clients, known: Known) -> Iterator[Entry]:
    client = clients("scheduler")
    for one in pages(client, "list_schedules", "Schedules"):
        schedule = client.get_schedule(Name=one["Name"], GroupName=one.get("GroupName", "default"))
        entry = known.entry(EntryKind.SCHEDULE, schedule["ScheduleExpression"], _scheduled(schedule["Target"]))
        if entry:
            yield entry


def _scheduled(target: dict[str, Any]) -> str:
    """The ARN that a schedule's target is: its own, or that of the queue that a universal target's input names."""
    if not target["Arn"].endswith(":aws-sdk:sqs:sendMessage"):
        return str(target["Arn"])
    queue = json.loads(target.get("Input") or "{}").get("QueueUrl", "").rpartition("/")[2]
    return f"arn:aws:sqs:::{queue}"


def _notifications(clients: Clients, known: Known) -> Iterator[Entry]:
    client = clients("s3")
    for bucket in pages(client, "list_buckets", "Buckets"):
        settings = client.get_bucket_notification_configuration(Bucket=bucket["Name"])
        for key, arn in _BUCKET_KEYS:
            for one in settings.get(key, ()):
                entry = known.entry(EntryKind.BUCKET, bucket["Name"], one[arn])
                if entry:
                    yield entry


def _streams(clients: Clients, known: Known) -> Iterator[Entry]:
    """The streams of Kinesis and of tables that event source mappings read."""
    for one in pages(clients("lambda"), "list_event_source_mappings", "EventSourceMappings"):
        source, filters = _STREAM.match(one.get("EventSourceArn", "")), one.get("FilterCriteria") or {}
        patterns = [each["Pattern"] for each in filters.get("Filters", ())]
        entry = source and known.entry(
            _STREAM_KINDS[source[1]], source[2], one["FunctionArn"], " or ".join(patterns) or None
        )
        if entry:
            yield entry
