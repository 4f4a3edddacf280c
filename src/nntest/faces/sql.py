"""``nntest sql``: one SELECT over the tables of a source."""

from typing import Annotated

import typer

from nntest.faces.output import check_format, print_rows, say_skipped


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("sql")(sql)


def sql(
    statement: Annotated[
        str, typer.Argument(help="One SELECT over points, layers, kernels, networks or hardware (DuckDB's SQL).")
    ],
    source: Annotated[
        str, typer.Option("--source", help="Repositories, folders or zips with points (comma list).")
    ] = "local",
    tags: Annotated[str, typer.Option("--tags", help="Only experiments that carry all these tags.")] = "",
    form: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
) -> int:
    """Ask the tables of a source in SQL; nothing but these tables can be read, and nothing be written."""
    check_format(form)

    from nntest.crawl.query import query
    from nntest.crawl.tables import Tables

    answer = query(Tables(places(source), tags=tags), statement)
    print_rows(answer.columns, answer.rows, form)
    say_skipped(answer.skipped)
    return 0


def places(source: str) -> list[str]:
    """Return the sources that a comma list names."""
    return [part.strip() for part in source.split(",") if part.strip()]
