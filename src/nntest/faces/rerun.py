"""``nntest rerun``: measure again what was not measured well enough."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.errors import DataError, UsageError
from nntest.faces.output import say

if TYPE_CHECKING:
    from nntest.model.point import Point


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("rerun")(rerun)


def rerun(  # noqa: PLR0917 - typer reads the options off the signature
    patterns: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATTERN...", help="Experiments, such as 'nntest-conv-*', or uids of points."),
    ] = None,
    trust: Annotated[str, typer.Option("--trust", help="Only points with these verdicts (comma list).")] = "",
    flag: Annotated[str, typer.Option("--flag", help="Only points with one of these flags (comma list).")] = "",
    repetitions: Annotated[int, typer.Option("--repetitions", help="Samples of each case.")] = 10,
    launches: Annotated[
        int | None, typer.Option("--launches", help="Fresh processes over which they are spread; 5 without it.")
    ] = None,
    until_ci: Annotated[
        str, typer.Option("--until-ci", help="Repeat until the interval is this narrow, such as 1%.")
    ] = "",
    budget: Annotated[str, typer.Option("--budget", help="Limit of the measuring with --until-ci, such as 2min.")] = "",
    timestamp: Annotated[str, typer.Option("--timestamp", help="Last part of the experiments' names.")] = "",
    record_repo: Annotated[str, typer.Option("--record-repo", help="CK repository that takes the points.")] = "local",
    share: Annotated[bool, typer.Option("--share", help="Measure beside another session.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")] = False,
) -> int:
    """Measure again, in a new session, the points that a filter selects: by default those of ck's local repository."""
    from nntest.faces.options import duration, percentage, words
    from nntest.faces.sessions import intentions, perform
    from nntest.measure.again import choose, newest, plan_again
    from nntest.measure.request import RunRequest
    from nntest.measure.world import real_world

    wanted = _known("trust", words(trust)), _known("flag", words(flag))
    if not (patterns or trust or flag):
        raise UsageError(
            "rerun: nothing was selected; expected experiments or points, --trust=unstable, or --flag=drift"
        )
    points = choose(newest(_points(patterns or ["local:*"])), trust=wanted[0], flags=wanted[1])
    if not points:
        say("no points are to be measured again")
        return 0
    request = RunRequest(
        programs=",".join(sorted({point.case.program for point in points})),
        repetitions=repetitions,
        launches=launches,
        until_ci_pct=100 * percentage("until_ci", until_ci) if until_ci else None,
        budget_s=duration("budget", budget) if budget else None,
        timestamp=timestamp,
        record_repo=record_repo,
        share=share,
    )
    world = real_world()
    plan = plan_again(points, request, world)
    if dry_run:
        for line in intentions(plan):
            say(line)
        return 0
    summary = perform(plan, world, resumable=False)
    for line in _changes(points, summary.results):
        say(line)
    return summary.exit_code


def _points(patterns: Sequence[str]) -> Iterator["Point"]:
    """Yield the points of ours that patterns select."""
    from nntest.store.lookup import find_point_files

    for path in dict.fromkeys(path for pattern in patterns for path in find_point_files(pattern)):
        point = _readable(path)
        if point is not None:
            yield point


def _readable(path: Path) -> "Point | None":
    """Return a point; a damaged one and one of other tools cannot be measured again, which is told."""
    from nntest.store.read import read_point

    try:
        return read_point(path)
    except DataError as error:
        say(f"left out: {error}", err=True)
        return None


def _changes(before: Sequence["Point"], after: Sequence["Point"]) -> Iterator[str]:
    """Say what became of the verdicts."""
    from nntest.statistics.trust import assess

    was = {point.case.id: assess(point)[0] for point in before}
    counted = Counter((was.get(point.case.id, ""), point.trust) for point in after)
    for (old, new), count in sorted(counted.items()):
        yield f"{count} {old}, now {new}" if old != new else f"{count} still {new}"


def _known(name: str, given: Sequence[str]) -> Sequence[str]:
    from nntest.statistics.trust import FLAGS, VERDICTS

    known = VERDICTS if name == "trust" else tuple(FLAGS)
    for word in given:
        if word not in known:
            raise UsageError(f"{name}: {word!r} was given; expected one of {', '.join(known)}")
    return given
