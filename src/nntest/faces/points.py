"""``nntest list points``: the points of a source, one line each."""

from collections.abc import Sequence

from nntest.faces.output import print_rows, say, say_skipped
from nntest.faces.sql import places


def list_points(pattern: str, *, tags: str, where: Sequence[str], source: str, shown: str, form: str) -> int:
    """Print the points whose experiments' names match ``pattern`` and whose rows meet ``where`` (comma lists)."""
    from nntest.crawl.summary import COLUMNS, summarise

    conditions = [part.strip() for text in where for part in text.split(",") if part.strip()]
    if pattern != "*":
        conditions.append(f"experiment={pattern}")
    columns = [part.strip() for part in shown.split(",") if part.strip()]
    table = summarise(places(source), tags=tags, where=conditions, columns=columns or COLUMNS)
    cells = table.astype(object).where(table.notna(), None)
    if table.empty and form == "table":
        say("no points match")
    else:
        print_rows(list(table.columns), cells.to_numpy().tolist(), form)
    say_skipped(table.attrs["skipped"])
    return 0
