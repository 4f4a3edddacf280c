"""Measuring points again: the same cases to the same programs, libraries and flags, in one new session."""

from collections.abc import Iterable, Sequence

from nntest.errors import MissingPartError, UsageError
from nntest.measure.groups import form_groups
from nntest.measure.plan import SessionPlan
from nntest.measure.request import RunRequest
from nntest.measure.selection import Shape
from nntest.measure.trial import Candidate, Trial
from nntest.measure.world import World
from nntest.model.case import Plan, Subject
from nntest.model.point import Point
from nntest.statistics.trust import assess
from nntest.store.entries import ProgramEntry, find_programs


def newest(points: Iterable[Point]) -> list[Point]:
    """Return the last measurement of each uid, in the order in which the uids come."""
    last: dict[str, Point] = {}
    for point in points:
        known = last.get(point.uid)
        if known is None or _when(point) >= _when(known):
            last[point.uid] = point
    return list(last.values())


def choose(points: Iterable[Point], *, trust: Sequence[str] = (), flags: Sequence[str] = ()) -> list[Point]:
    """Return the points with one of these verdicts and one of these flags; empty means any."""
    chosen = []
    for point in points:
        verdict, seen = assess(point)
        if (not trust or verdict in trust) and (not flags or not set(flags).isdisjoint(seen)):
            chosen.append(point)
    return chosen


def plan_again(points: Sequence[Point], request: RunRequest, world: World) -> SessionPlan:
    """Turn points into the plan of a session that measures them again.

    What cannot be had any more (a program, a version of a library) is left out with a word; what has changed meanwhile
    is told and measured.

    Parameters
    ----------
    request
        How it is measured and where the points go; what is measured comes from the points.

    Raises
    ------
    UsageError
        Nothing is left to measure.
    """
    notes: list[str] = []
    programs = {entry.uoa: entry for entry in find_programs("*", repositories=world.repositories)}
    candidates: dict[tuple[str, str, str, str], Candidate | None] = {}
    trials: dict[tuple[int, str], Trial] = {}
    for point in points:
        subject = point.subject
        key = (subject.program, subject.library.tag, subject.library.build, subject.flags)
        if point.platform.target != request.target:
            notes.append(f"{point.uid}: left out, it ran on {point.platform.target}, not on {request.target}")
            continue
        if key not in candidates:
            candidates[key] = _candidate(programs.get(subject.program), subject, world, notes)
        candidate = candidates[key]
        if candidate is not None:
            trials.setdefault((id(candidate), point.case.id), _trial(point, candidate))
    if not trials:
        raise UsageError(f"rerun: nothing can be measured again{'; ' + notes[0] if notes else ''}")
    for threads in sorted({trial.case.threads for trial in trials.values()}):
        world.choose_cores(threads)
    plan = Plan(
        repetitions=request.repetitions,
        launches=request.launch_count,
        order_seed=world.order_seed(),
        timeout_s=request.timeout_s,
    )
    return SessionPlan(
        request=request,
        timestamp=request.timestamp or f"{world.now():%Y%m%d%H%M%S}",
        plan=plan,
        candidates=tuple(one for one in candidates.values() if one is not None),
        trials=tuple(trials.values()),
        groups=tuple(form_groups(list(trials.values()), plan)),
        notes=tuple(notes),
    )


def _candidate(program: ProgramEntry | None, subject: Subject, world: World, notes: list[str]) -> Candidate | None:
    name = f"{subject.program} {subject.library.tag}"
    if program is None:
        notes.append(f"{name}: left out, there is no such program any more")
        return None
    try:
        library = world.find_library(subject.library.name, subject.library.tag)
    except MissingPartError as error:
        notes.append(f"{name}: left out, {error}")
        return None
    if library.library.build != subject.library.build:
        notes.append(f"{name}: another build of it is measured now")
    return Candidate(program=program, library=library, flags=subject.flags)


def _trial(point: Point, candidate: Candidate) -> Trial:
    case = point.case
    shape = Shape(
        species=case.species,
        dataset=point.origin.dataset,
        dataset_file=point.origin.dataset_file,
        parameters=case.parameters,
        batch_size=case.batch_size,
    )
    return Trial(candidate=candidate, case=case, shape=shape)


def _when(point: Point) -> tuple[str, str]:
    return point.origin.timestamp, point.origin.session
