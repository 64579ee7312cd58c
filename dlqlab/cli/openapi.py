"""The command that exports the deployed API's description."""

from pathlib import Path

import click

from dlqlab.cli.console import OUT, command
from dlqlab.cli.targets import Where, targeted
from dlqlab.errors import UsageError
from dlqlab.paths import shown


@click.command()
@targeted
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there.")
@click.option("--no-server", is_flag=True, help="Leave the API's URL out, as in docs/openapi.json.")
@command
def openapi(where: Where, out: Path | None, *, no_server: bool) -> None:
    """Export the OpenAPI description of the deployed API."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415
    from dlqlab.openapi.document import document, export, to_text  # noqa: PLC0415

    target = where.resolve()
    server = None if no_server else pipeline.url(target)
    text = to_text(document(export(target), server=server))
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be written: {error.strerror}") from error
    OUT.print(f"written: {shown(out)}", soft_wrap=True)


TITLE = "API"
COMMANDS = (openapi,)
