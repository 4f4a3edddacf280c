"""What a session has to do: everything, or what an interrupted one left over."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from nntest.measure.groups import Group, form_groups, make_group
from nntest.measure.plan import SessionPlan
from nntest.measure.record import Found
from nntest.measure.recovery import Recovered, RecoveredGroup
from nntest.measure.standing import Standing
from nntest.measure.trial import Trial
from nntest.model.case import Plan


@dataclass(frozen=True, kw_only=True)
class GroupWork:
    """A group to measure, its standings in the group's order, and how many launches it has behind it."""

    group: Group
    standings: tuple[Standing, ...]
    launches_done: int = 0

    def estimated_s(self, plan: Plan) -> float:
        """Rough time of the launches that are left, in seconds."""
        return self.group.estimated_s * max(plan.launches - self.launches_done, 0) / plan.launches


@dataclass(kw_only=True)
class Work:
    """All groups to measure; ``skipped`` counts the cases that need nothing any more, ``refused`` says why some.

    ``found`` counts those that have a point already, ``found_failed`` those of them whose point has failed.
    """

    groups: list[GroupWork] = field(default_factory=list)
    skipped: int = 0
    found: int = 0
    found_failed: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def what_is_left(
    plan: SessionPlan,
    standings: Sequence[Standing],
    recovered: Recovered | None,
    find_point: Callable[[Trial, str], Found | None],
) -> Work:
    """Return the groups to measure.

    A resumed session leaves out the cases that have a point, and those that a finished group found unsupported.
    Begun groups come first and keep their number, their order and their finished launches, if the plan is the same;
    the rest is grouped anew.
    """
    if not plan.request.resume:
        return Work(groups=_works(plan.groups, standings))
    work = Work()
    missing = {standing.uid: standing for standing in standings}
    for standing in standings:
        point = find_point(standing.trial, standing.uid)
        if point is not None:
            del missing[standing.uid]
            work.skipped += 1
            work.found += 1
            work.found_failed += point.failed
    first_number = 0
    if recovered is not None:
        _leave_out_unsupported(work, missing, recovered)
        first_number = recovered.next_group
        if recovered.header["plan"] == asdict(plan.plan):
            work.groups += _begun(plan, missing, recovered)
        elif any(not group.ended for group in recovered.groups.values()):
            work.notes.append("resume: the options differ from the journal's; its unfinished group begins anew")
    fresh = form_groups([standing.trial for standing in missing.values()], plan.plan, first_number=first_number)
    work.groups += _works(fresh, list(missing.values()))
    return work


def _works(groups: Sequence[Group], standings: Sequence[Standing]) -> list[GroupWork]:
    by_trial = {id(standing.trial): standing for standing in standings}
    works = [
        GroupWork(group=group, standings=tuple(by_trial[id(trial)] for trial in group.trials if id(trial) in by_trial))
        for group in groups
    ]
    return [work for work in works if work.standings]


def _leave_out_unsupported(work: Work, missing: dict[str, Standing], recovered: Recovered) -> None:
    """Leave out what has no point for a good reason; its group has ended, so nothing of it is to be done."""
    for group in recovered.groups.values():
        for uid, trial in group.trials.items():
            if group.ended and trial.loss == "unsupported" and uid in missing:
                work.refused[missing.pop(uid).trial.name] = trial.reason
                work.skipped += 1


def _begun(plan: SessionPlan, missing: dict[str, Standing], recovered: Recovered) -> list[GroupWork]:
    """Take the trials of begun groups out of ``missing``."""
    works = []
    for known in recovered.groups.values():
        standings = [] if known.ended else [missing.pop(uid) for uid in known.uids if uid in missing]
        if standings:
            works.append(_continued(plan, known, standings))
    return works


def _continued(plan: SessionPlan, known: RecoveredGroup, standings: Sequence[Standing]) -> GroupWork:
    for standing in standings:
        if standing.uid in known.trials:
            known.trials[standing.uid].restore(standing, known.launches_done)
    group = make_group(known.number, [standing.trial for standing in standings], plan.plan)
    return GroupWork(group=group, standings=tuple(standings), launches_done=known.launches_done)
