"""Where the load of somebody's own pipeline goes in: what his file names, found at the target."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlqlab.contracts.project import ENTRIES, Entry, Project
from dlqlab.contracts.topology import Entry as TopologyEntry
from dlqlab.contracts.topology import EntryKind, Topology
from dlqlab.deploy.arns import name_of
from dlqlab.deploy.survey.calls import pages
from dlqlab.deploy.target import Target
from dlqlab.errors import UsageError
from dlqlab.load.messages import EntrySettings


def entry_settings(project: Project, root: Path, target: Target) -> tuple[str, EntrySettings]:
    """The URL that the load generator is started with, and what it sends.

    Raises:
        UsageError: the file names no entry, or one that is not there; lists those that are.
    """
    entry = project.entry if project.entry.kind else _only_way_in(project.entry, target.topology)
    endpoint = target.endpoint or ""
    base, address, method = endpoint, "", "POST"
    if entry.kind == "http":
        method, address = entry.http.split()
        # With its stage, to which the load's client adds the path.
        base = (entry.url or _only_api(entry, target)).rstrip("/")
    else:
        address = _ADDRESSES[entry.kind](target, entry.name)
    return base, EntrySettings(
        kind=entry.kind,
        address=address,
        method=method,
        headers=entry.headers,
        attributes=entry.attributes,
        body=entry.body,
        rows_path=str((root / entry.rows).resolve()) if entry.rows else "",
        group=entry.group,
        fifo=address.endswith(".fifo"),
        detail_type=entry.detail_type,
        source=entry.source,
        accepted=project.task.accepted,
        key=project.task.key,
        endpoint=endpoint,
        region=target.region,
        access_key=target.environment.get("AWS_ACCESS_KEY_ID", ""),
        secret_key=target.environment.get("AWS_SECRET_ACCESS_KEY", ""),
    )


def host_of(project: Project, target: Target) -> str:
    """The address that a locustfile of the user's own gets: the one that the file names, or that of the only API, else
    of the only function URL; where there is none or several, the emulator's.
    """
    urls = [project.entry.url] if project.entry.url else _urls(target)
    return (urls[0] if len(urls) == 1 else target.endpoint or "").rstrip("/")


def _only_way_in(entry: Entry, topology: Topology) -> Entry:
    """The only way in that is deployed, with all else that the file says of the entry.

    Raises:
        UsageError: there are several, or none.
    """
    ways = ways_in(topology)
    if len(ways) != 1:
        raise UsageError(f"entry is not given: give one of {', '.join(ENTRIES)}; there are {_known(topology)}")
    (way,) = ways
    way_in = {kind: getattr(way, kind) for kind in ENTRIES}
    if way.bus:
        way_in |= {"source": way.source, "detail_type": way.detail_type}
    return replace(entry, **way_in, url=entry.url or way.url)


def ways_in(topology: Topology) -> list[Entry]:
    """The ways into a pipeline that somebody may mean: POST routes, else function URLs, else topics, buckets, Kinesis
    streams and rules of buses, else queues that functions work on; of these those that no function of the pipeline
    sends to. Where functions send to each of those, all of them.
    """
    routes = [
        one.name for one in topology.entries if one.kind is EntryKind.HTTP and (one.name or "").startswith("POST ")
    ]
    if routes:
        return [Entry(http=str(name)) for name in dict.fromkeys(routes)]
    if urls := _function_urls(topology):
        return [Entry(http="POST /", url=url) for url in urls]
    published = [(one, found) for one in topology.entries if (found := _published_to(one)) is not None]
    if outside := [found for one, found in published if not _is_fed(topology, one)]:
        return _each_once(outside)
    sent_to = {
        role
        for function in topology.functions
        for role in function.may_send_to
        if not any((one.queue, one.function) == (role, function.role) for one in topology.consumers)
    } | {one.queue for one, _ in published}
    worked_on = [work.queue for work in topology.works if work.consumers]
    first = [queue for queue in worked_on if queue.role not in sent_to]
    everything = [*(found for _, found in published), *(Entry(queue=one.name) for one in worked_on)]
    return [Entry(queue=queue.name) for queue in first] or _each_once(everything)


def _each_once(some: list[Entry]) -> list[Entry]:
    return [one for n, one in enumerate(some) if one not in some[:n]]


def _is_fed(topology: Topology, entry: TopologyEntry) -> bool:
    """Whether a function of the pipeline publishes there, other than one that works on what comes of it."""
    return any(
        entry.place in function.may_publish_to and not topology.works_on(function, entry)
        for function in topology.functions
    )


def _published_to(one: TopologyEntry) -> Entry | None:
    """The topic, bucket, stream or bus of an entry; of a bus with the source and detail type that its rule names."""
    name = str(one.name)
    match one.kind:
        case EntryKind.TOPIC:
            return Entry(topic=name)
        case EntryKind.BUCKET:
            return Entry(bucket=name)
        case EntryKind.STREAM:
            return Entry(stream=name)
        case EntryKind.BUS:
            pattern = json.loads(one.filter or "{}")
            first = {key: value[0] for key, value in pattern.items() if isinstance(value, list) and value}
            named = {
                setting: first[key]
                for setting, key in (("source", "source"), ("detail_type", "detail-type"))
                if isinstance(first.get(key), str)
            }
            return Entry(bus=name.partition("/")[0], **named)
        case _:
            return None


def _function_urls(topology: Topology | None) -> list[str]:
    """The URLs of functions among the entries, whose names are ``ANY URL``."""
    entries = topology.entries if topology else ()
    return [
        url for one in entries if (url := (one.name or "").removeprefix("ANY ")).startswith(("http://", "https://"))
    ]


def _queue_url(target: Target, name: str) -> str:
    urls = {name_of(url.replace("/", ":")): url for url in pages(target.client("sqs"), "list_queues", "QueueUrls")}
    own = {each: url for each, url in urls.items() if each in target.topology.queue_names.values()}
    urls = own if any(name in each for each in own) else urls  # others' may have names that are like it
    return _found(urls, name, "queue")


def _topic_arn(target: Target, name: str) -> str:
    arns = [one["TopicArn"] for one in pages(target.client("sns"), "list_topics", "Topics")]
    return _found({name_of(arn): arn for arn in arns}, name, "topic")


def _bus_name(target: Target, name: str) -> str:
    names = [one["Name"] for one in pages(target.client("events"), "list_event_buses", "EventBuses")]
    return _found({one: one for one in names}, name, "bus")


def _bucket_name(target: Target, name: str) -> str:
    names = [one["Name"] for one in pages(target.client("s3"), "list_buckets", "Buckets")]
    return _found({one: one for one in names}, name, "bucket")


def _stream_name(target: Target, name: str) -> str:
    names = [*pages(target.client("kinesis"), "list_streams", "StreamNames")]
    return _found({one: one for one in names}, name, "stream")


_ADDRESSES: Mapping[str, Callable[[Target, str], str]] = {
    "queue": _queue_url,
    "topic": _topic_arn,
    "bus": _bus_name,
    "bucket": _bucket_name,
    "stream": _stream_name,
}


def _found(known: Mapping[str, str], name: str, what: str) -> str:
    if name in known:
        return known[name]
    ends = [one for one in known if name in one]
    if len(ends) == 1:  # CloudFormation adds its own letters to a logical name
        return known[ends[0]]
    raise UsageError(
        f"entry.{what} is {name!r}: there is no such {what}; there are {', '.join(sorted(known)) or 'none'}"
    )


def _only_api(entry: Entry, target: Target) -> str:
    """The URL of the only API, with its stage; where there is no API, of the only function that has one.

    Raises:
        UsageError: there is none, or there are several.
    """
    urls = _urls(target)
    if not urls:
        raise UsageError(
            f"entry.http is {entry.http!r}, and neither an API nor a function URL is deployed: give entry.url or "
            f"another way in: {', '.join(kind for kind in ENTRIES if kind != 'http')}"
        )
    if len(urls) > 1:
        raise UsageError(f"entry.url is not given, and there are {len(urls)} APIs: give one of {', '.join(urls)}")
    return urls[0]


def _urls(target: Target) -> list[str]:
    """Of all APIs, or of the pipeline's functions."""
    return [*_rest_urls(target), *_http_urls(target)] or _function_urls(target.topology)


def _rest_urls(target: Target) -> list[str]:
    client: Any = target.client("apigateway")
    return [
        f"{target.endpoint}/_aws/execute-api/{api['id']}/{stage['stageName']}"
        for api in pages(client, "get_rest_apis", "items")
        for stage in client.get_stages(restApiId=api["id"])["item"]
    ]


def _http_urls(target: Target) -> list[str]:
    client: Any = target.client("apigatewayv2")
    try:
        return [api["ApiEndpoint"] for api in pages(client, "get_apis", "Items")]
    except client.exceptions.ClientError:
        return []  # the target has no HTTP APIs


def _known(topology: Topology) -> str:
    entries = [f"{one.kind} {one.name!r}" for one in topology.entries]
    return ", ".join([*entries, *(f"queue {queue.name!r}" for queue in topology.queues)]) or "none"
