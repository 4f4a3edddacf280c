"""All candidates of a plan, built before anything is measured: a compiler must not run beside a measurement."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nntest.errors import BuildError, DriverError, MissingPartError
from nntest.measure.account import Account
from nntest.measure.devices import OPENCL, device_environment, platform_with_device
from nntest.measure.interrupts import Interrupts
from nntest.measure.plan import SessionPlan
from nntest.measure.profiling import PROFILE_KEY
from nntest.measure.reporter import Reporter
from nntest.measure.standing import Standing
from nntest.measure.trial import Candidate
from nntest.measure.world import World
from nntest.model.case import Platform, Subject

if TYPE_CHECKING:
    from nntest.measure.build import BuiltProgram


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    subject: Subject
    platform: Platform
    built: "BuiltProgram | None" = None
    reason: str = ""


def build_all(
    plan: SessionPlan,
    platform: Platform,
    world: World,
    *,
    account: Account,
    interrupts: Interrupts,
    reporter: Reporter,
) -> list[Standing]:
    """Build every candidate and return how the trials stand: lost where their program does not compile.

    A program whose device is missing is left out with a word. Two candidates that turn out to be one subject (the same
    library, named twice) are measured once.

    Raises
    ------
    MissingPartError
        No program is left: their devices are missing.
    """
    outcomes: dict[int, _Outcome] = {}
    missing: list[MissingPartError] = []
    for candidate in plan.candidates:
        reporter.building(candidate.name)
        try:
            with account.spending("build"), interrupts.waiting():
                outcomes[id(candidate)] = _prepare(candidate, plan, platform, world)
        except MissingPartError as error:
            missing.append(error)
    if missing and not outcomes:
        raise missing[0]
    for lacking in missing:
        reporter.note(f"left out: {lacking}")
    standings: dict[str, Standing] = {}
    for trial in plan.trials:
        if id(trial.candidate) not in outcomes:
            continue
        outcome = outcomes[id(trial.candidate)]
        standing = Standing(trial=trial, subject=outcome.subject, platform=outcome.platform, built=outcome.built)
        if outcome.built is None:
            standing.give_up("build", outcome.reason)
        if standings.setdefault(standing.uid, standing) is not standing:
            reporter.note(f"{trial.name}: the same case of the same subject, measured once")
    return list(standings.values())


def _prepare(candidate: Candidate, plan: SessionPlan, platform: Platform, world: World) -> _Outcome:
    """Build a candidate; one on an OpenCL device then says which that is."""
    try:
        built = world.build(candidate)
    except BuildError as error:
        return _Outcome(subject=world.unbuilt_subject(candidate), platform=platform, reason=str(error))
    if candidate.program.target_kind == OPENCL:
        built = replace(built, env={**device_environment(plan.request, world.cache_root), **built.env})
    if candidate.program.target_kind == OPENCL and not platform.gpu:
        try:
            described = world.describe(built)
        except DriverError as error:
            return _Outcome(subject=built.subject, platform=platform, reason=str(error))
        platform = platform_with_device(platform, described, program=candidate.program.uoa)
    if any(PROFILE_KEY in trial.case.env for trial in plan.trials if trial.candidate is candidate):
        try:
            built = world.profiled(candidate, built)
        except BuildError as error:
            return _Outcome(subject=built.subject, platform=platform, reason=str(error))
    if plan.request.instructions and world.counted is not None:
        try:
            built = world.counted(built)
        except BuildError as error:
            return _Outcome(subject=built.subject, platform=platform, reason=str(error))
    return _Outcome(subject=built.subject, platform=platform, built=built)
