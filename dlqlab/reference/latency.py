"""docs/latency.md, all of it from the code."""

from dlqlab import paths
from dlqlab.emulator.latency.table import ANY, AWS, read
from dlqlab.reference.tables import code, table

PAGE = paths.DOCS / "latency.md"
_INTRODUCTION = """\
# Latency as on AWS

`--latency aws` (or `DLQLAB_LATENCY=aws`), of every command that starts an emulator, makes calls take about as long as
they do on AWS, so that time-outs and races of a pipeline show on a laptop. Without it they take as long as this machine
needs, and no code of it runs.

Times are drawn: log-normal, by the median and the 99th percentile of the table's first row that fits, each operation
with a sequence of its own that depends on the seed alone. A call waits after its work and before its answer; an
execution environment before it starts; a mapping before it invokes. What LocalStack's services call of each other,
deployments (CloudFormation, IAM, STS, API Gateway's and Lambda's other operations) and the emulator's own pages take no
longer.

AWS publishes few such numbers: *Source* says which are its, and which are estimates. For your own, copy
`dlqlab/emulator/latency/aws.toml`, change it, and give its path: `dlqlab up --latency my-latency.toml`.

This page is written from the code by `make docs`; a test holds it to that."""


def page() -> str:
    """The whole page."""
    rows = [
        (
            code(row.service),
            code(row.operation) if row.operation != ANY else "any other",
            f"{row.p50_ms:g}",
            f"{row.p99_ms:g}",
            "on top of its work" if row.adds else "as a whole",
            row.source,
        )
        for row in read(AWS).rows
    ]
    head = ("Service", "Operation", "Median, ms", "99 %, ms", "The call takes it", "Source")
    return "\n\n".join([_INTRODUCTION, table(head, rows)]) + "\n"
