"""The command that asks the tables of runs in SQL."""

import click

from dlqlab.cli.declared import command


@click.command(short_help="Ask the tables of runs in SQL.")
@click.argument("runs_and_query", nargs=-1, required=True, metavar="RUN... [QUERY]")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON, one a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
@command
def sql() -> None:
    """Ask the tables of runs in SQL: dlqlab sql latest 'select status, count(*) from tasks group by all'.

    RUN is a name under runs/ or a folder; several are asked at once, their rows told apart by the column run. What the
    emulator recorded is in the schema recording: recording.messages. Without a query the tables are listed. A table on
    the screen has 1,000 rows at most. Runs are only read, and nothing else is.
    """


TITLE = "SQL"
COMMANDS = (sql,)
