"""``nntest history``: a case through time, over sessions and versions."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.columns import columns
from nntest.faces.output import say, say_skipped
from nntest.faces.sql import places
from nntest.units import US_PER_S, format_duration

if TYPE_CHECKING:
    from nntest.crawl.history import Moment
    from nntest.statistics.comparison import Comparison

_ID = re.compile(r"[0-9a-f]{4,16}")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("history")(history)


def history(
    case: Annotated[
        str, typer.Argument(metavar="CASE|POINT", help="Id of a case, or uid or file of one of its points.")
    ],
    source: Annotated[str, typer.Option("--source", help="Repositories, folders or zips (comma list).")] = "local",
) -> int:
    """Show all measurements of a case from the oldest on, each held against the one before."""
    from nntest.crawl.history import history as find_history

    where = places(source)
    found = find_history(case, where) if _ID.fullmatch(case) else None
    try:
        if found is None or not found.moments:
            found = find_history(_case_of(case), where)
    finally:
        # what could not be read may be what is missed, also where no point has that uid
        if found is not None:
            say_skipped(found.skipped)
    if not found.moments:
        raise UsageError(f"{case}: {source} has no point of that case; name its repository with --source")
    for line in history_lines(found.moments):
        say(line)
    return 0


def history_lines(moments: Sequence["Moment"]) -> Iterator[str]:
    """Yield a table for each platform."""
    yield f"{moments[0].program} {moments[0].shape}"
    heading = ("when", "session", "library", "subject", "point", "median", "95 % interval", "since the last", "verdict")
    for platform in dict.fromkeys(moment.platform_id for moment in moments):
        those = [moment for moment in moments if moment.platform_id == platform]
        yield f"on {those[0].cpu or 'an unknown processor'} ({platform[:8]})"
        yield from (f"  {line}" for line in columns(heading, [_row(moment) for moment in those]))


def _row(moment: "Moment") -> tuple[str, ...]:
    time = moment.time_us
    known = time is not None and math.isfinite(time.low)
    return (
        _when(moment.when),
        moment.session,
        moment.library,
        moment.subject_id[:8],
        moment.point,
        format_duration(time.estimate / US_PER_S) if time is not None else "",
        f"{time.low:.4g} to {time.high:.4g} us" if time is not None and known else "",
        _change(moment.change),
        f"{moment.trust}{': ' + moment.failure if moment.failure else ''}",
    )


def _change(change: "Comparison | None") -> str:
    if change is None or not math.isfinite(change.ratio):
        return ""
    words = {"different": "slower" if change.ratio > 1 else "faster", "equivalent": "equal", "undecided": "undecided"}
    return f"{change.ratio:.3f} {words[change.verdict]}"


def _when(text: str) -> str:
    """Render YYYYMMDDhhmmss for people."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}" if text else "unknown"


def _case_of(name: str) -> str:
    from nntest.store.lookup import find_point_files
    from nntest.store.read import read_point

    return read_point(find_point_files(name)[-1]).case.id
