"""The commands about the emulator: up, down, env, doctor, emulator pins, emulator card."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.ports import PORT, Port
from dlqlab.cli.recording import pretending, recorded
from dlqlab.deploy.environment import FORMATS
from dlqlab.proxies import LOOPBACK_HOSTS


@click.command(short_help="Start the emulator; returns once it serves.")
@click.option(
    "--port",
    type=Port(starts=True),
    default=None,
    help="Port to listen on, or auto for a free one; default: 4566, if no emulator of this project runs.",
)
@click.option("--without-patch", "without", multiple=True, metavar="NAME", help="Leave a patch of LocalStack out.")
@recorded
@pretending
@click.option("--foreground", is_flag=True, help="Stay in front and log to the terminal; Ctrl-C ends it.")
@click.option("--host", default=LOOPBACK_HOSTS[0], show_default=True, help="Address to listen on; for containers.")
@command
def up() -> None:
    """Start the emulator; returns once it serves. One that runs already is left as it is."""


@click.command(short_help="Stop the emulator and every function process.")
@PORT
@click.option("--all", "take_all", is_flag=True, help="Every emulator of this project, those of runs under way too.")
@command
def down() -> None:
    """Stop the emulator and every function process."""


@click.command(short_help='Settings for any AWS tool: eval "$(dlqlab env)".')
@PORT
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="shell",
    show_default=True,
    help="Exports for eval, an environment file, or a section of an AWS configuration file.",
)
@command
def env() -> None:
    """Print settings with which any AWS tool talks to the emulator: eval "$(dlqlab env)".

    For SDKs, the AWS CLI, chalice, cdklocal, serverless with serverless-localstack, sam. Settings of the shell that
    lead elsewhere are unset, and this machine is exempted from its proxies. AWS CLI 1 takes no endpoint for "aws sqs"
    but by --endpoint-url: the shell gets a function aws that gives it; in scripts give it yourself.
    """


@click.command(short_help="Say what is missing or in the way, and the remedy.")
@PORT
@command
def doctor() -> None:
    """Say what is missing or in the way, and the remedy. Exit code: 0 all is there, 3 something is missing.

    Marked ≠ is what hinders other tools in this shell, such as the AWS CLI, and not dlqlab.
    """


@click.group(short_help="Look after what the emulator is built on.")
def emulator() -> None:
    """Look after what the emulator is built on and what it does as AWS: dlqlab emulator pins, dlqlab emulator card."""


@emulator.command(short_help="Compare LocalStack with what is relied on in it.")
@click.option("--write", is_flag=True, help="Take the fingerprints of what is installed.")
@command
def pins() -> None:
    """Compare what is relied on in LocalStack and its libraries with what is installed.

    Prints every difference, and which modules of dlqlab.emulator to read again. Exit code: 0 nothing differs, or all
    was written; 1 something differs, or is gone.
    """


@emulator.command(short_help="Say what is as on AWS, and what is not.")
@PORT
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@command
def card() -> None:
    """Print the fidelity card: what is served and what it goes by, and where the emulator differs from AWS.

    Of an emulator that runs also its patches, and what its functions run on.
    """


TITLE = "Emulator"
COMMANDS = (up, down, env, doctor, emulator)
