"""All candidates of a plan, built before anything is measured: a compiler must not run beside a measurement."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nntest.errors import BuildError
from nntest.measure.account import Account
from nntest.measure.interrupts import Interrupts
from nntest.measure.plan import SessionPlan
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

    Two candidates that turn out to be one subject (the same library, named twice) are measured once.
    """
    outcomes: dict[int, _Outcome] = {}
    for candidate in plan.candidates:
        reporter.building(candidate.name)
        with account.spending("build"), interrupts.waiting():
            outcomes[id(candidate)] = _build(candidate, world)
    standings: dict[str, Standing] = {}
    for trial in plan.trials:
        outcome = outcomes[id(trial.candidate)]
        standing = Standing(trial=trial, subject=outcome.subject, platform=platform, built=outcome.built)
        if outcome.built is None:
            standing.give_up("build", outcome.reason)
        if standings.setdefault(standing.uid, standing) is not standing:
            reporter.note(f"{trial.name}: the same case of the same subject, measured once")
    return list(standings.values())


def _build(candidate: Candidate, world: World) -> _Outcome:
    try:
        built = world.build(candidate)
    except BuildError as error:
        return _Outcome(subject=world.unbuilt_subject(candidate), reason=str(error))
    return _Outcome(subject=built.subject, built=built)
