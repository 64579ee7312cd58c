"""Exporting the deployed API's description."""

from pathlib import Path

import click

from dlqlab.cli.actions.targets import resolve
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.deploy import pipeline
from dlqlab.errors import UsageError
from dlqlab.openapi.document import document, export, to_text
from dlqlab.paths import shown


def openapi(where: Where, out: Path | None, *, no_server: bool) -> None:
    target = resolve(where)
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
