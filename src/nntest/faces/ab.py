"""``nntest ab``: two programs, versions, flags or instruction sets, measured interleaved and compared."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean, median
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from nntest.errors import NNTestError, UsageError
from nntest.faces.output import say

if TYPE_CHECKING:
    from nntest.crawl.diff import CaseDifference, Difference, Side, Verdict
    from nntest.measure.contest import Bout, Sides
    from nntest.measure.plan import SessionPlan
    from nntest.measure.session import Summary
    from nntest.measure.world import World
    from nntest.model.case import CacheState, Case
    from nntest.model.point import Point


class NotComparedError(NNTestError):
    """The session was interrupted before the two sides could be compared."""

    exit_code = 130


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("ab")(ab)


def ab(  # noqa: PLR0917 - typer reads the options off the signature
    first: Annotated[str, typer.Argument(metavar="A", help="Program, library version or KIND=VALUE: what was.")],
    second: Annotated[str, typer.Argument(metavar="B", help="What is held against it.")],
    program: Annotated[
        str, typer.Option("--program", "--programs", help="Programs to measure with both (comma list of patterns).")
    ] = "",
    species: Annotated[str, typer.Option("--species", help="Only programs of this species, such as conv.")] = "",
    dataset: Annotated[
        str, typer.Option("--dataset", "--dataset-uoa", help="Dataset of shapes, a name or a pattern.")
    ] = "",
    dataset_file: Annotated[
        str, typer.Option("--dataset-file", "--dataset-files", help="Only these files of the dataset (comma list).")
    ] = "",
    batch_sizes: Annotated[str, typer.Option("--batch-sizes", "--batch-size", help="Batch sizes (comma list).")] = "",
    threads: Annotated[str, typer.Option("--threads", help="Numbers of threads (comma list).")] = "1",
    cache: Annotated[
        str, typer.Option("--cache", help="Cache states before a call: warm, cold_weights, cold_all (comma list).")
    ] = "warm",
    repetitions: Annotated[int, typer.Option("--repetitions", help="Samples of each case.")] = 20,
    launches: Annotated[
        int | None, typer.Option("--launches", help="Fresh processes over which they are spread; 10 without it.")
    ] = None,
    margin: Annotated[str, typer.Option("--margin", help="Difference that does not matter.")] = "1%",
    fail_if_slower: Annotated[
        str, typer.Option("--fail-if-slower", help="Exit 1 where B is slower by more than this, such as 5%.")
    ] = "",
    form: Annotated[str, typer.Option("--format", help="One of table, markdown, junit.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="Write there instead of to the terminal.")] = None,
    timestamp: Annotated[str, typer.Option("--timestamp", help="Last part of the experiments' names.")] = "",
    record_repo: Annotated[str, typer.Option("--record-repo", help="CK repository that takes the points.")] = "local",
    no_record: Annotated[bool, typer.Option("--no-record", help="Record nothing.")] = False,
    share: Annotated[bool, typer.Option("--share", help="Measure beside another session.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")] = False,
) -> int:
    """Measure two sides in one interleaved session and say, case by case, which is faster, and how sure that is."""
    from nntest.faces.difference import FORMATS
    from nntest.faces.options import numbers, percentage, words
    from nntest.faces.output import put_text
    from nntest.measure.contest import check_plan, contest, parse_sides, request_of
    from nntest.measure.plan import plan_session
    from nntest.measure.request import RunRequest
    from nntest.measure.world import real_world

    if form not in FORMATS:
        raise UsageError(f"format: {form!r} was given; expected one of {', '.join(FORMATS)}")
    limit = percentage("fail_if_slower", fail_if_slower) if fail_if_slower else None
    if not (program or species or dataset):
        raise UsageError("ab: nothing says what is measured; name a --dataset, a --species or a --program")
    base = RunRequest(
        programs=program,
        species=species,
        dataset_uoa=dataset,
        dataset_files=words(dataset_file),
        batch_sizes=numbers("batch_sizes", batch_sizes),
        threads=numbers("threads", threads),
        cache=cast("tuple[CacheState, ...]", words(cache)),
        repetitions=repetitions,
        launches=launches or min(repetitions, 10),
        timestamp=timestamp,
        record_repo=record_repo,
        no_record=no_record,
        share=share,
    )
    world = real_world()
    sides = parse_sides(first, second, world)
    plan = plan_session(request_of(sides, base), world)
    check_plan(plan, sides, world)
    if dry_run:
        return _say_plan(plan)
    summary = measure(plan, world)
    bouts = contest(
        summary.results, sides, world, limit=limit, margin=percentage("margin", margin)
    )  # fmt: skip
    difference = as_difference(bouts, limit=limit, notes=[conclusion(bouts, sides)])
    text = FORMATS[form](difference)
    put_text(text, out)
    return difference.exit_code if limit is not None else summary.exit_code


def measure(plan: "SessionPlan", world: "World") -> "Summary":
    """Run a session whose progress is not what was asked for: all of it goes to standard error.

    Raises
    ------
    NotComparedError
        It was interrupted.
    """
    from rich.console import Console

    from nntest.faces.progress import ProgressReporter
    from nntest.measure.session import run_session

    with ProgressReporter(sys.stderr, Console(stderr=True)) as reporter:
        summary = run_session(plan, reporter, world)
    for name in summary.experiments:
        say(f"recorded in {name}", err=True)
    if summary.interrupted:
        raise NotComparedError(f"interrupted: {summary.points} points are on disk, nothing was compared")
    return summary


def as_difference(bouts: Sequence["Bout"], *, limit: float | None, notes: Sequence[str]) -> "Difference":
    """Return the bouts as what ``nntest diff`` shows."""
    from nntest.crawl.diff import Difference

    return Difference(cases=tuple(_case_difference(bout) for bout in bouts), limit=limit, notes=tuple(notes))


def conclusion(bouts: Sequence["Bout"], sides: "Sides") -> str:
    """Return one sentence: what became of B against A, on the whole and at worst."""
    names = f"{sides.b or 'native'} against {sides.a or 'native'}"
    compared = [bout for bout in bouts if bout.comparison is not None and math.isfinite(bout.comparison.ratio)]
    if not compared:
        return f"{names}: no case could be compared"
    found: list[Any] = [bout.comparison for bout in compared]
    changed = [bout for bout in compared if bout.comparison and bout.comparison.verdict == "different"]
    parts = [f"{names}: time B / A is {geometric_mean(one.ratio for one in found):.3f} (geometric mean)"]
    for word, above in (("slower", True), ("faster", False)):
        those = [bout for bout in changed if bout.comparison and (bout.comparison.ratio > 1) is above]
        if those:
            most = (max if above else min)(those, key=lambda bout: bout.comparison.ratio if bout.comparison else 1.0)
            ratio = most.comparison.ratio if most.comparison else 1.0
            parts.append(f"{len(those)} of {len(compared)} {word}, most of all {case_label(most.case)} ({ratio:.3f})")
    if not changed:
        parts.append(f"none of {len(compared)} cases differs for certain")
    finite = [one.mde_pct for one in found if math.isfinite(one.mde_pct)]
    if finite:
        parts.append(f"a difference of {median(finite):.1f} % would have been found in half of the cases")
    return "; ".join(parts)


def case_label(case: "Case") -> str:
    """Return a case in words: its shape, and what differs from the usual."""
    from nntest.model.species import find_species

    unusual = (
        f"batch_size={case.batch_size}" if case.batch_size != 1 else "",
        f"layout={case.layout}" if case.layout != "auto" else "",
        f"threads={case.threads}" if case.threads != 1 else "",
        f"cache={case.cache}" if case.cache != "warm" else "",
    )
    return " ".join(filter(None, (find_species(case.species).shape_name(case.parameters), *unusual)))


def _case_difference(bout: "Bout") -> "CaseDifference":
    from nntest.crawl.diff import CaseDifference

    sides = [(name, point) for name, point in (("A", bout.a), ("B", bout.b)) if point is not None]
    failed = [f"{name}: {point.failure.reason}" for name, point in sides if point.failure is not None]
    found = bout.comparison
    return CaseDifference(
        case_id=bout.case.id,
        program="+".join(dict.fromkeys(point.case.program for _, point in sides)),
        case=case_label(bout.case),
        a=_side(bout.a),
        b=_side(bout.b),
        verdict=_verdict(bout, failed=bool(failed)),
        comparison=found,
        gate=bout.gate,
        reason="; ".join(failed) or (found.reason if found is not None else ""),
    )


def _verdict(bout: "Bout", *, failed: bool) -> "Verdict":
    if bout.a is None or bout.b is None:
        return "missing in A" if bout.a is None else "missing in B"
    if failed or bout.comparison is None:
        return "failed"
    if bout.comparison.verdict == "equivalent":
        return "equal"
    if bout.comparison.verdict == "undecided":
        return "undecided"
    return "slower" if bout.comparison.ratio > 1 else "faster"


def _side(point: "Point | None") -> "Side | None":
    from nntest.crawl.diff import Side
    from nntest.units import US_PER_S

    if point is None:
        return None
    subject = point.subject
    what = " ".join(filter(None, (subject.library.tag, subject.flags, point.case.isa_max)))
    time_us = median(sample.value_s for sample in point.samples) * US_PER_S if point.samples else math.nan
    failure = point.failure.reason if point.failure is not None else ""
    return Side(
        library=what, platform=point.platform.cpu, time_us=math.nan if failure else time_us, trust=point.trust,
        failure=failure,
    )  # fmt: skip


def _say_plan(plan: "SessionPlan") -> int:
    from nntest.faces.sessions import intentions

    for line in intentions(plan):
        say(line)
    return 0
