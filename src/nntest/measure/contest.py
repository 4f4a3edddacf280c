"""Two sides in one session: the same cases, interleaved round by round, compared case by case.

A side is a program, a version of a library, a set of compiler flags or an isa_max; everything else is alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from nntest.errors import UsageError
from nntest.measure.plan import SessionPlan
from nntest.measure.request import RunRequest
from nntest.measure.world import World
from nntest.model.case import Case
from nntest.model.ids import block_id
from nntest.model.point import Point
from nntest.statistics.comparison import MARGIN, Comparison, compare, decide
from nntest.statistics.series import Series
from nntest.store.entries import find_programs

Kind = Literal["program", "library", "flags", "isa_max"]
Gate = Literal["", "passed", "slower", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """What differs between A and B, and its two values."""

    kind: Kind
    a: str
    b: str


@dataclass(frozen=True, kw_only=True)
class Bout:
    """One case of both sides.

    ``comparison`` is the time of B over that of A, judged with all other cases of the session (false discovery rate);
    None where a side gave no time. ``gate`` says whether B is slower by more than the limit: ``slower`` (shown),
    ``passed`` (shown not to be), ``undecided``; empty where no limit was given or A gave no time.
    """

    case: Case
    a: Point | None
    b: Point | None
    comparison: Comparison | None = None
    gate: Gate = ""


def parse_sides(first: str, second: str, world: World) -> Sides:
    """Read two sides: ``KIND=VALUE``, or a bare word: a program's name, flags (``-O2``), else a library's version.

    Raises
    ------
    UsageError
        The two are not of one kind, or equal.
    """
    programs = {entry.uoa for entry in find_programs("*", repositories=world.repositories)}
    (kind, a), (other, b) = (_parse_side(text, programs) for text in (first, second))
    if kind != other:
        raise UsageError(
            f"ab: {first} is a {kind}, {second} a {other}; expected two of one kind; "
            "KIND=VALUE says which is meant (program, library, flags, isa_max)"
        )
    if a == b:
        raise UsageError(f"ab: {first} was given twice; expected two different sides")
    return Sides(kind=kind, a=a, b=b)


def request_of(sides: Sides, base: RunRequest) -> RunRequest:
    """Return the session's request: ``base`` with both sides as one dimension of it.

    Raises
    ------
    UsageError
        It does not say which programs are meant.
    """
    both = (sides.a, sides.b)
    if sides.kind == "program":
        return replace(base, programs=",".join(both))
    if sides.kind != "library" and not (base.programs or base.species or base.tags):
        raise UsageError(f"ab: no program was named; say which one is measured with both {sides.kind} by --program")
    base = replace(base, programs=base.programs or "*")
    if sides.kind == "library":
        return replace(base, library=both)
    return replace(base, flags=both) if sides.kind == "flags" else replace(base, isa_max=both)


def check_plan(plan: SessionPlan, sides: Sides, world: World) -> None:
    """See that there is something to compare before anything is measured.

    Raises
    ------
    UsageError
        One of the sides has no case, or both are the same library.
    """
    judge = _Judge(sides, world)
    there = {
        judge.side_of(
            trial.case, trial.candidate.program.library, trial.candidate.library.library, trial.candidate.flags
        )
        for trial in plan.trials
    }
    for name, value in (("a", sides.a), ("b", sides.b)):
        if name not in there:
            why = f"; {plan.notes[0]}" if plan.notes else ""
            raise UsageError(f"ab: {value or 'native'} gives no case to compare{why}")


def contest(
    points: Sequence[Point], sides: Sides, world: World, *, limit: float | None = None, margin: float = MARGIN
) -> list[Bout]:
    """Join the points of a session's two sides by case and compare them.

    Parameters
    ----------
    limit
        Slow-down of B that is still allowed, 0.05 for 5 %; sets the gates (Holm over all cases).
    margin
        Relative difference that does not matter.

    Returns
    -------
    list of Bout
        In the order of the session's cases.
    """
    judge = _Judge(sides, world)
    joined: dict[str, dict[str, Point]] = {}
    for point in points:
        library = point.subject.library
        side = judge.side_of(point.case, library.name, library, point.subject.flags)
        if side:
            joined.setdefault(_question(point.case, sides.kind), {})[side] = point
    bouts = [
        Bout(case=(one.get("a") or one["b"]).case, a=one.get("a"), b=one.get("b")) for one in joined.values()
    ]  # fmt: skip
    tested = {number: pair for number, bout in enumerate(bouts) if (pair := _pair(bout)) is not None}
    found = decide([compare(b, a, margin=margin) for a, b in tested.values()], "fdr")
    for number, comparison in zip(tested, found, strict=True):
        bouts[number] = replace(bouts[number], comparison=comparison)
    if limit is None:
        return bouts
    gates = _gates(tested, limit)
    return [replace(bout, gate=gates.get(number, _gate_without(bout))) for number, bout in enumerate(bouts)]


def _parse_side(text: str, programs: set[str]) -> tuple[Kind, str]:
    word, equals, value = text.partition("=")
    kind = word.replace("-", "_").lstrip("_")
    if equals and not text.startswith("-"):
        for known in get_args(Kind):
            if kind == known:
                return known, "" if (known, value) == ("isa_max", "native") else value
    if text in programs:
        return "program", text
    return ("flags", text) if text.startswith("-") or not text else ("library", text)


class _Judge:
    """Knows which side a case of a subject is of."""

    def __init__(self, sides: Sides, world: World) -> None:
        self._sides = sides
        self._world = world
        self._libraries: dict[tuple[str, str], object] = {}

    def side_of(self, case: Case, name: str, library: object, flags: str) -> str:
        """Return ``a``, ``b``, or nothing."""
        values: Mapping[Kind, object] = {"program": case.program, "flags": flags, "isa_max": case.isa_max}
        for side, wanted in (("a", self._sides.a), ("b", self._sides.b)):
            if self._sides.kind == "library":
                if self._library(name, wanted) == library:
                    return side
            elif values[self._sides.kind] == wanted:
                return side
        return ""

    def _library(self, name: str, spec: str) -> object:
        if (name, spec) not in self._libraries:
            self._libraries[name, spec] = self._world.find_library(name, spec).library
        return self._libraries[name, spec]


def _question(case: Case, kind: Kind) -> str:
    """Return what is asked of both sides: the case without what differs."""
    block = case.block()
    if kind in block:
        del block[kind]
    return block_id(block)


def _pair(bout: Bout) -> tuple[Series, Series] | None:
    if bout.a is None or bout.b is None or bout.a.failure is not None or bout.b.failure is not None:
        return None
    a, b = (Series.of_samples(point.samples, session=point.origin.session) for point in (bout.a, bout.b))
    return a, b


def _gates(tested: Mapping[int, tuple[Series, Series]], limit: float) -> dict[int, Gate]:
    """Hold every case against the limit: B's times are divided by 1 + limit and compared with A's."""
    single = [compare(replace(b, values=b.values / (1 + limit)), a, margin=0.0) for a, b in tested.values()]
    gates: dict[int, Gate] = {}
    for number, alone, together in zip(tested, single, decide(single, "holm"), strict=True):
        if together.verdict == "different" and together.ratio > 1:
            gates[number] = "slower"
        elif alone.verdict == "different" and alone.ratio < 1:
            gates[number] = "passed"
        else:
            gates[number] = "undecided"
    return gates


def _gate_without(bout: Bout) -> Gate:
    """Judge what could not be timed: B fails where A does not."""
    if bout.a is None or bout.a.failure is not None:
        return ""
    return "slower" if bout.b is not None else "undecided"
