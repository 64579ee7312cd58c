"""What of AWS the emulator shows, and what it does not: the card that each report ends with."""

from dlqlab.emulator import settings
from dlqlab.emulator.lifecycle import Emulator
from dlqlab.emulator.patches import ALL, summary

DIFFERENCES = {
    "concurrency": "event source mappings grow by 300 batches a minute as on AWS, but to at most DLQLAB_POLLERS_MAX or "
    "MaximumConcurrency; when AWS shrinks them, and how fast after errors, is not documented and assumed",
    "order": "a message that comes back before its third receive goes to the front of the queue; AWS promises no order",
    "visibility": "ChangeMessageVisibility of a message that is visible again is refused with MessageNotInflight, as "
    "its reference says; AWS has also been seen to answer with success and to do nothing",
    "queue names": "a deleted queue's name can be used again at once; AWS asks for 60 s",
    "duplicates": "SQS here never delivers a message twice by itself: duplicates are the scenario's own",
    "IAM": "policies are deployed but not enforced",
    "limits": "no throttling by account or API, no payload limits of API Gateway",
    "network": "no latency between services: everything runs on this machine and shares its processors, "
    "of which the emulator keeps to one and functions to the others",
    "tmp": "a function's own /tmp is its TMPDIR; the path /tmp itself is the machine's",
}
"""Where LocalStack 4.14.0 differs from AWS in ways that matter here."""


def card(emulator: Emulator) -> list[dict[str, object]]:
    """One entry per patch and per known difference: ``name``, ``ok`` (as on AWS), ``statement``."""
    patches = [
        {
            "name": f"patch {name}",
            "ok": name in emulator.patches,
            "statement": summary(name) if name in emulator.patches else f"off: {summary(name)}",
        }
        for name in ALL
    ]
    differences = [{"name": name, "ok": False, "statement": text} for name, text in DIFFERENCES.items()]
    own = {
        "name": "emulator",
        "ok": True,
        "statement": f"LocalStack {settings.VERSION} without Docker; functions run AWS's runtime interface client in "
        "processes of their own; DynamoDB is moto's",
    }
    return [own, _dynamodb(emulator), *patches, *differences]


def _dynamodb(emulator: Emulator) -> dict[str, object]:
    """Who serves single items, from the environment of the process itself."""
    process = emulator.process()
    fast = process is not None and process.environ().get(settings.DYNAMODB) == settings.DYNAMODB_FAST
    text = "conditions and updates of single items as DynamoDB documents them, with exact numbers, in moto's tables"
    return {"name": "dynamodb fast path", "ok": fast, "statement": text if fast else f"off: {text}"}
