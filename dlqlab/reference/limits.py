"""docs/limits.md, all of it from the code."""

from dlqlab import paths
from dlqlab.emulator.functions import lambda_checks
from dlqlab.emulator.gateway.refusals import REST_API_LIMIT
from dlqlab.emulator.limits.quotas import QUOTAS
from dlqlab.reference.tables import code, table

PAGE = paths.DOCS / "limits.md"
_INTRODUCTION = """\
# Quotas of an AWS account

`--limits aws` (or `DLQLAB_LIMITS=aws`), of every command that starts an emulator, makes it throttle as an AWS account
with the default quotas. For an account with others, and to see throttling on a laptop, give numbers by name:

```shell
dlqlab up --limits aws,lambda_concurrency=10,api_per_s=50,api_burst=20
```

Rates are token buckets; where AWS tells no burst, what a second lets through may come at once."""
_NOT = """\
Not among them: rates of IAM, STS and CloudFormation, which AWS does not publish; usage plans and API keys; rates of
single methods of a REST API; the depth of Lambda's queue of asynchronous invocations, which AWS does not tell. A
mapping whose function is throttled, or whose queue has too many messages in flight, tries again later."""
_ALWAYS = """\
## Limits that always hold

What is over them is refused whether quotas are asked for or not; without `--limits` Lambda's concurrency of an account
is 1,000 too. Message sizes and attributes of SQS are each queue's own."""
_END = "This page is written from the code by `make docs`; a test holds it to that."


def page() -> str:
    """The whole page."""
    quotas = [(code(one.name), f"{one.default:,}", one.meaning, one.answer, one.source) for one in QUOTAS]
    always = [
        ("payload of an invocation and of its answer", f"{lambda_checks.PAYLOAD_LIMIT:,}", "Lambda quotas"),
        ("payload of an asynchronous invocation", f"{lambda_checks.EVENT_LIMIT:,}", "Lambda quotas"),
        ("request with a function's code", f"{lambda_checks.CODE_REQUEST_LIMIT:,}", "Lambda quotas"),
        ("request to a REST API", f"{REST_API_LIMIT:,}", "Quotas for configuring and running a REST API"),
    ]
    parts = [
        _INTRODUCTION,
        table(("Name", "Number", "Of what", "Beyond it", "Source"), quotas),
        _NOT,
        _ALWAYS,
        table(("Limit", "Bytes", "Source"), always),
        _END,
    ]
    return "\n\n".join(parts) + "\n"
