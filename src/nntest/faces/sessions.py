"""From a request to what ``nntest run`` prints: a list, a plan, or a measured session with its summary."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nntest.errors import DataError, NNTestError, UsageError
from nntest.faces.columns import columns, count_of
from nntest.faces.output import say, say_damaged_registrations
from nntest.units import format_duration

if TYPE_CHECKING:
    from nntest.measure.plan import SessionPlan
    from nntest.measure.request import RunRequest
    from nntest.measure.session import Summary
    from nntest.measure.world import World


class UnfinishedError(NNTestError):
    """The session was interrupted; the message says how to do the rest."""

    exit_code = 130


def carry_out(request: "RunRequest") -> int:
    """Do what a request asks and return the exit code."""
    from nntest.measure.plan import plan_session
    from nntest.measure.world import real_world

    say_damaged_registrations()
    world = real_world(request.target)
    try:
        plan = plan_session(request, world)
    except DataError as damaged:  # nothing ran yet: a damaged shape file is as wrong a question as a wrong name
        raise UsageError(str(damaged)) from damaged
    if request.list_tests or request.dry_run:
        for line in _tests(plan) if request.list_tests else intentions(plan):
            say(line)
        return 0

    return perform(plan, world).exit_code


def perform(plan: "SessionPlan", world: "World", *, resumable: bool = True) -> "Summary":
    """Run a planned session, say what is measured and what became of it.

    Raises
    ------
    UnfinishedError
        It was interrupted.
    """
    from rich.console import Console

    from nntest.faces.progress import ProgressReporter
    from nntest.measure.session import run_session

    with ProgressReporter(sys.stdout, Console(stderr=True)) as reporter:
        summary = run_session(plan, reporter, world)
    for line in summary_lines(summary):
        say(line)
    if summary.interrupted:
        raise UnfinishedError(_advice(summary, resumable=resumable))
    return summary


def _advice(summary: "Summary", *, resumable: bool) -> str:
    if resumable:
        return summary.advice or "interrupted; nothing was to be recorded"
    return f"interrupted: {summary.points} points are on disk; the same command does the rest"


def summary_lines(summary: "Summary") -> Iterator[str]:
    """Yield what became of a session: counts that add up to its cases, and where the points are."""
    failed_before = f" ({summary.found_failed} of them failed)" if summary.found_failed else ""
    counts = (
        (summary.points, "point" if summary.points == 1 else "points"),
        (summary.failed, "of them failed"),
        (summary.unsupported, "unsupported"),
        (summary.found, f"already there{failed_before}"),
    )
    yield ", ".join(f"{count} {what}" for count, what in counts if count or what.startswith("point"))
    yield from (f"unsupported: {name}: {reason}" for name, reason in summary.refused.items())
    yield from (f"recorded in {name}" for name in summary.experiments)


def _tests(plan: "SessionPlan") -> Iterator[str]:
    heading = ("program", "library", "shape", "batch", "dtype", "layout", "threads", "cache", "dataset", "file")
    rows = [
        (
            trial.case.program,
            trial.candidate.library.library.tag,
            trial.shape.name,
            trial.case.batch_size,
            trial.case.dtype,
            trial.case.layout,
            trial.case.threads,
            trial.case.cache,
            trial.shape.dataset,
            trial.shape.dataset_file,
        )
        for trial in plan.trials
    ]
    yield from plan.notes
    yield from columns(heading, rows)
    yield count_of(len(rows), "test")


def intentions(plan: "SessionPlan") -> Iterator[str]:
    """Yield what a session would do."""
    request = plan.request
    yield from plan.notes
    yield from (f"would build {candidate.name}" for candidate in plan.candidates)
    yield (
        f"would measure {count_of(len(plan.trials), 'case')} in {count_of(len(plan.groups), 'group')}, "
        f"{count_of(plan.plan.repetitions, 'repetition')} in {count_of(plan.plan.launches, 'launch')} each; "
        f"about {format_duration(plan.estimated_s)} of measuring"
    )
    where = f"{request.record_repo}:experiment:{request.record_uoa or f'nntest-<program>-<library>-{plan.timestamp}'}"
    yield "would record nothing" if request.no_record else f"would record in {where}"
