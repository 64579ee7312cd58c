"""What of AWS the emulator shows, and what it does not: the card that each report ends with."""

from collections.abc import Mapping
from pathlib import Path

from dlqlab.emulator import settings
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.host.served import SERVED
from dlqlab.emulator.patches import PATCHES
from dlqlab.emulator.pins import localstack_version
from dlqlab.emulator.runtime.serving import record

DIFFERENCES = {
    "concurrency": "event source mappings grow by 300 batches a minute as on AWS, but to at most DLQLAB_POLLERS_MAX or "
    "MaximumConcurrency; when AWS shrinks them, and how fast after errors, is not documented and assumed",
    "order": "a message that comes back before its third receive goes to the front of the queue; AWS promises no order",
    "visibility": "ChangeMessageVisibility of a message that is visible again is refused with MessageNotInflight, as "
    "its reference says; AWS has also been seen to answer with success and to do nothing",
    "queue names": "a deleted queue's name can be used again at once; AWS asks for 60 s",
    "duplicates": "SQS here never delivers a message twice by itself: duplicates are the scenario's own",
    "batching window": "the mapping gathers one batch after another; AWS does not document how its pollers share the "
    "messages of a window",
    "event filters": "everything of a record can be matched, by every operator of EventBridge's patterns; Lambda "
    "documents fewer, and for SQS only the body",
    "throttled batch": "comes back when its visibility timeout is over; until then AWS tries it again",
    "provisioned pollers": "accepted and not provided: the mapping scales as without them",
    "mapping without its function": "messages wait in the queue, with their receive count untouched, until there is a "
    "function of that name; AWS does not document it",
    "DynamoDB": "throughput is never exceeded, indexes are never behind; TTL deletes within seconds, of many thousand "
    "items within minutes, where AWS takes up to a few days; a SELECT of a single "
    "element of a list, or ordered over several hash keys of an index, is refused; backups, exports, imports, "
    "tags and global tables are moto's",
    "DynamoDB streams": "a stream is one shard of at most 128 MB; mappings pause 0.5 s to 60 s between tries, where "
    "AWS gives no numbers; tumbling windows, and destinations other than queues and topics, are refused",
    "Kinesis": "streams are active at once, throughput is exceeded only with --limits, a shard keeps at most 128 MB; "
    "on-demand streams keep their four shards; encryption is told and not done; no metrics, no SubscribeToShard, no "
    "resource policies",
    "Firehose": "delivers to S3 alone, from calls or a Kinesis stream; a function gets its batches when an object is "
    "due, not in a buffer of its own; no metrics; throughput is never exceeded; what is not done is refused by name",
    "EventBridge Pipes": "from queues and streams to functions, queues, topics, buses, state machines, logs, "
    "enriched by functions; other parts, and logs of the pipe itself, are refused by name",
    "IAM": "policies are enforced only with --enforce-iam, and then on calls signed by users and roles and on "
    "deliveries to queues, topics and functions; other keys are the account's root; writing a function's own log needs "
    "no permission",
    "limits": "no throttling by account or API but for --limits, which has the quotas of docs/limits.md; IAM's and "
    "CloudFormation's rates, which AWS does not publish, usage plans and methods' own rates are not among them",
    "addresses": "REST APIs, HTTP APIs and function URLs are paths below the emulator's own address, by plain HTTP; "
    "no name service knows a host name for each, as AWS has it, but as a Host header it is served",
    "HTTP APIs": "served without throttling, access logs, custom domains, VPC links and mutual TLS; HTTP_PROXY "
    "integrations and issuers of tokens must be on this machine; signatures, credentials of integrations and "
    "permissions to invoke are not checked; there are no WebSocket APIs",
    "X-Ray": "every request is traced, none is sampled out; of its API traces can be sent, listed and read, without "
    "filter expressions, groups, service graphs and sampling rules; its daemon listens on loopback, so that AWS's SDKs "
    "for functions work as they are",
    "EventBridge": "an event that cannot be delivered is a dead letter at once, without the retries of up to 24 hours",
    "schedules": "EventBridge Scheduler retries after 1, 2, 4, ... up to 300 s, since AWS does not document its waits; "
    "rules and schedules are due to the second, AWS promises the minute",
    "stacks": "a resource that cannot be made fails its deployment, or is only reported made with --allow-pretended; "
    "a failed update is not undone; a failed deletion of a resource does not stop its stack's",
    "custom resources": "their response goes to an address without TLS, which Node.js functions reach by https too; a "
    "function that fails without a response is not tried again",
    "services": "those that docs/services.md names; a call of any other is refused",
    "log subscriptions": "subscription filters of log groups reach functions only; lines of a function that is sent "
    "its own are dropped after 16 rounds, which AWS does not do",
    "function variables": "a name of a single letter is taken; Lambda wants two characters",
    "network": "no latency between services but for --latency, whose table says which numbers AWS publishes and which "
    "are estimates: everything runs on this machine and shares its processors, "
    "of which the emulator keeps to one and functions to the others",
    "Node.js": "AWS's runtime client with a transport of ours; the AWS SDK v3 beside a bundle is what its files "
    "import, as of one day; responses are not streamed; of the memory only the heap is limited",
    "provided runtimes": "a bootstrap runs with this machine's libraries and processor, not Amazon Linux's",
    "extensions": "external and internal ones get INVOKE and SHUTDOWN; the Telemetry API and the Logs API are refused",
    "function network": "functions in Python and Node.js reach this machine and what --allow-network or [network] of "
    "dlqlab.toml allow; on Lambda, outside of a VPC, the Internet. Code that connects by a C library is not held back",
    "public layers": "what a package index has under the layer's major version, not the very archive of its ARN",
    "function processes": "functions share the machine's network and processor architecture, whatever they declare; "
    "neither memory nor the size of /tmp is limited",
}
"""Where LocalStack differs from AWS in ways that matter here."""


def card(emulator: Emulator) -> list[dict[str, object]]:
    """One entry per patch, statement and known difference: ``name``, ``ok`` (as on AWS), ``statement``."""
    patches = [
        {
            "name": f"patch {patch.name}",
            "ok": patch.name in emulator.patches,
            "statement": patch.summary if patch.name in emulator.patches else f"off: {patch.summary}",
        }
        for patch in PATCHES
    ]
    own = {
        "name": "emulator",
        "ok": True,
        "statement": f"LocalStack {localstack_version()} without Docker; functions run AWS's runtime interface clients "
        "or their own bootstrap, in processes of their own; DynamoDB is dlqlab's on moto's tables",
    }
    return [own, _dynamodb(emulator), *_functions(record(Path(emulator.state))), *patches, *statements()]


def statements() -> list[dict[str, object]]:
    """What holds of every emulator: what is served, each with what it goes by, and what is not as on AWS."""
    served = [
        {"name": one.name, "ok": True, "statement": f"{one.statement} (by {one.source}; {one.page})"} for one in SERVED
    ]
    return [*served, *({"name": name, "ok": False, "statement": text} for name, text in DIFFERENCES.items())]


def _functions(served: Mapping[str, Mapping[str, str]]) -> list[dict[str, object]]:
    """The file system of functions, and what runs the runtimes that they declared."""
    troubles = sorted({one["files"] for one in served.values() if one["files"]})
    if not served:
        files = "not tried yet"
    elif troubles:
        files = (
            f"functions see the machine's, because {'; '.join(troubles)}: their code and /tmp lie in folders of the "
            "emulator's, which LAMBDA_TASK_ROOT and TMPDIR name; error documents and logs show Lambda's paths"
        )
    else:
        files = "functions see Lambda's: /var/task, /opt, /var/runtime, a /tmp of their own, all else read-only"
    programs = "; ".join(f"{runtime} runs on {one['program']}" for runtime, one in sorted(served.items()))
    return [
        {"name": "function file system", "ok": bool(served) and not troubles, "statement": files},
        {
            "name": "function runtimes",
            "ok": all(runtime == one["is"] for runtime, one in served.items()),
            "statement": programs or "no function yet",
        },
    ]


def _dynamodb(emulator: Emulator) -> dict[str, object]:
    """Who serves single items, from the environment of the process itself."""
    process = emulator.process()
    fast = process is not None and process.environ().get(settings.DYNAMODB) == settings.DYNAMODB_FAST
    text = "conditions and updates of single items as DynamoDB documents them, with exact numbers, in moto's tables"
    return {"name": "dynamodb fast path", "ok": fast, "statement": text if fast else f"off: {text}"}
