"""docs/coverage.md: what the points of a coverage run say, in tables."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nntest.model.point import Point
from nntest.model.species import find_species
from nntest.statistics.trust import assess

# Numbers and places differ from case to case and from machine to machine; the reason is what is left.
_PLACES = re.compile(r" \(looked in [^)]*\)")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def page(points: Sequence[Point], visits: Sequence[Mapping[str, Any]], *, programs: Mapping[str, str]) -> str:
    """Return the page.

    Parameters
    ----------
    points
        The points of the run.
    visits
        What is known of each dataset besides: ``dataset``, ``cases``, ``refused`` (reasons by trial), ``left_out``
        (notes of the plan), ``done``, ``seconds``, ``days``.
    programs
        Every program that there is, with its library.
    """
    return "\n".join(_lines(points, visits, programs)) + "\n"


def _lines(points: Sequence[Point], visits: Sequence[Mapping[str, Any]], programs: Mapping[str, str]) -> Iterator[str]:
    refused = [(name, reason) for visit in visits for name, reason in visit["refused"].items()]
    seen = [(point, *assess(point)) for point in points]
    yield "# What was measured, and what was not"
    yield ""
    yield "Written by `sh script/coverage/run.sh`: all programs over all datasets of shapes that fit them, one thread,"
    yield "warm caches, batch size as the dataset says, unattended, within a budget of time; the same command goes on"
    yield "where it ended. Outputs were checked before times counted. Verdicts and flags: [concepts](concepts.md)."
    yield ""
    yield from _heading(points, visits, refused)
    yield from _section("Programs", ("program", "library", "datasets", "points", "verdicts", "unsupported"),
                        _by_program(seen, refused, programs))  # fmt: skip
    yield from _section("Failures", ("program", "kind", "points", "for example", "reason"), _failures(points))
    yield from _section("Unsupported", ("program", "cases", "reason"), _refusals(refused))
    yield from _section("Flags", ("flag", "points", "share"), _flags(seen))
    yield from _section("Programs that were left out", ("reason", "programs"), _left_out(visits, programs))
    yield from _section("Datasets", ("dataset", "cases", "points", "state", "seconds"), _datasets(points, visits))


def _heading(
    points: Sequence[Point], visits: Sequence[Mapping[str, Any]], refused: Sequence[tuple[str, str]]
) -> Iterator[str]:
    failed = sum(point.failure is not None for point in points)
    done = sum(visit["done"] for visit in visits)
    minutes = sum(visit["seconds"] for visit in visits) / 60
    yield f"- {len(points)} points, {failed} of them failed; {len(refused)} cases unsupported."
    yield f"- {done} of {len(visits)} datasets done, in {minutes:.0f} minutes."
    counts = sorted({(point.plan.repetitions, point.plan.launches) for point in points})
    each = " or ".join(f"{samples} samples in {launches} processes" for samples, launches in counts)
    if each:
        yield f"- {each} of each case."
    machines = (point.platform for point in points)
    yield from dict.fromkeys(f"- On {one.cpu}, {one.cores} cores, {one.memory_mb} MB, {one.os}." for one in machines)
    days = sorted({day for visit in visits for day in visit["days"]})
    if days:
        yield f"- Measured on {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}."
    loads = sorted(launch.load_1min for point in points for launch in point.launches if launch.load_1min is not None)
    if loads:
        yield (
            f"- The machine's load was {loads[len(loads) // 2]:.1f} in the median, {loads[-1]:.1f} at most "
            "(1 is this measurement itself); what that does to times, the flags say."
        )


def _section(title: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    listed = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    yield ""
    yield f"## {title}"
    yield ""
    if not listed:
        yield "None."
        return
    yield f"| {' | '.join(heading)} |"
    yield f"| {' | '.join('---' for _ in heading)} |"
    yield from (f"| {' | '.join(row)} |" for row in listed)


def _by_program(
    seen: Sequence[tuple[Point, str, Sequence[str]]], refused: Sequence[tuple[str, str]], programs: Mapping[str, str]
) -> Iterator[Sequence[object]]:
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    datasets: dict[str, set[str]] = defaultdict(set)
    tags: dict[str, set[str]] = defaultdict(set)
    for point, verdict, _ in seen:
        program = point.case.program
        verdicts[program][verdict] += 1
        datasets[program].add(point.origin.dataset)
        tags[program].add(point.subject.library.tag)
    cannot = Counter(name.split()[0] for name, _ in refused)
    for program in sorted(set(verdicts) | set(cannot) | set(programs)):
        words = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts[program].items()))
        library = " ".join(sorted(tags[program])) or programs.get(program, "")
        yield (
            program, library, len(datasets[program]), sum(verdicts[program].values()), words or "not measured",
            cannot[program] or "",
        )  # fmt: skip


def _failures(points: Sequence[Point]) -> Iterator[Sequence[object]]:
    groups: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for point in points:
        if point.failure is not None:
            reason = point.failure.reason.splitlines()[0] if point.failure.reason else ""
            groups[point.case.program, point.failure.kind, _NUMBERS.sub("N", reason)].append(point)
    for (program, kind, _), members in sorted(groups.items()):
        first = members[0]
        assert first.failure is not None
        shape = find_species(first.case.species).shape_name(first.case.parameters)
        yield program, kind, len(members), shape, first.failure.reason.splitlines()[0]


def _refusals(refused: Sequence[tuple[str, str]]) -> Iterator[Sequence[object]]:
    counted = Counter((name.split()[0], reason.splitlines()[0] if reason else "") for name, reason in refused)
    yield from ((program, count, reason) for (program, reason), count in sorted(counted.items()))


def _flags(seen: Sequence[tuple[Point, str, Sequence[str]]]) -> Iterator[Sequence[object]]:
    counted = Counter(flag for _, _, flags in seen for flag in flags)
    yield from ((flag, count, f"{100 * count / len(seen):.0f} %") for flag, count in counted.most_common())


def _left_out(visits: Sequence[Mapping[str, Any]], programs: Mapping[str, str]) -> Iterator[Sequence[object]]:
    """Yield the reasons that are none of a dataset: what does not fit one fits another."""
    reasons: dict[str, set[str]] = defaultdict(set)
    for note in (note for visit in visits for note in visit["left_out"]):
        program, _, reason = note.partition(": left out, ")
        if program in programs and "has no shape of species" not in reason:
            reasons[_PLACES.sub("", reason)].add(program)
    yield from ((reason, ", ".join(sorted(names))) for reason, names in sorted(reasons.items()))


def _datasets(points: Sequence[Point], visits: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    counted = Counter(point.origin.dataset for point in points)
    for visit in sorted(visits, key=lambda visit: str(visit["dataset"])):
        name, begun = visit["dataset"], visit["seconds"] > 0
        state = "done" if visit["done"] else "begun" if begun else "not reached"
        yield name, visit["cases"], counted[name], state, f"{visit['seconds']:.0f}" if begun else ""
