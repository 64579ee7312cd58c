"""The command that gives a run's traces to others."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import RUN


@click.command(short_help="Give RUN's traces to whoever reads OpenTelemetry.")
@click.argument("run_dir", type=RUN, default="latest", metavar="[RUN]")
@click.option(
    "--otlp",
    required=True,
    metavar="FILE|URL",
    help="A file for JSON lines, or a collector such as http://127.0.0.1:4318.",
)
@click.option("--confirm", metavar="traces@HOST", help="The word that a collector which is not this machine asks for.")
@command
def export() -> None:
    """Export what the recorder knows of RUN (a name under runs/ or a folder; default: the newest) as OpenTelemetry.

    One trace for each task: the client's request, invocations with their calls, each message's way into a queue and out
    of it. FILE gets OTLP as JSON lines, a URL gets it by HTTP; variables such as OTEL_EXPORTER_OTLP_HEADERS hold.
    """


TITLE = "Traces"
COMMANDS = (export,)
