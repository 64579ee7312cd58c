"""The command line."""

import click


@click.group()
def main() -> None:
    """Load-test a retry and dead-letter pipeline on a laptop and prove what happened to every task."""
