"""A session: builds, groups of launches, points, and a summary; it can be ended at any moment and resumed."""

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nntest.errors import ConnectionLostError
from nntest.measure.account import Account
from nntest.measure.builds import build_all
from nntest.measure.dump import dump_stems, open_dump
from nntest.measure.energy import EnergyMeter
from nntest.measure.groups import Group, estimate_s
from nntest.measure.interrupts import INTERRUPTED, Interrupts, SessionInterrupted
from nntest.measure.journal import FORMAT, Journal, new_journal_path
from nntest.measure.launch import Bench, GroupLaunch
from nntest.measure.lock import machine_lock
from nntest.measure.output import OutputCheck, output_scratch
from nntest.measure.plan import SessionPlan
from nntest.measure.plan import plan_session as _plan_session
from nntest.measure.precision import Patience
from nntest.measure.record import Found, Made, Recorder
from nntest.measure.recovery import Recovered, recover_newest
from nntest.measure.remainder import GroupWork, Work, what_is_left
from nntest.measure.reporter import Reporter, SilentReporter
from nntest.measure.request import RunRequest
from nntest.measure.standing import Standing
from nntest.measure.trial import Trial
from nntest.measure.world import World, real_world
from nntest.measure.writable import require_writable
from nntest.model.point import Energy, Origin, Point
from nntest.model.point_json import to_bytes

SOME_FAILED = 3
# A board that is out of reach for two groups in a row is gone; the rest is not waited for.
_LOST_IN_A_ROW = 2


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How a session ended.

    ``points`` counts those that were made, ``failed`` those of them without a trustworthy time, ``unsupported`` the
    cases that an operator refused, ``skipped`` those that a resumed session found complete: ``found`` of these have a
    point, of which ``found_failed`` have failed. ``results`` holds the points that were made, in order; ``account_s``
    where the time went, in seconds.
    """

    points: int
    failed: int
    unsupported: int
    skipped: int
    experiments: Mapping[str, Path]
    results: tuple[Point, ...]
    refused: Mapping[str, str]
    journal: Path
    timestamp: str
    account_s: Mapping[str, float]
    harness_by_point_s: Mapping[str, float]
    interrupted: bool = False
    lost_groups: int = 0
    advice: str = ""
    found: int = 0
    found_failed: int = 0

    @property
    def exit_code(self) -> int:
        """0 done, 3 some points failed (also before the session was resumed) or a board was lost, 130 interrupted."""
        if self.interrupted:
            return INTERRUPTED
        return SOME_FAILED if self.failed or self.found_failed or self.lost_groups else 0


def plan_session(request: RunRequest, world: World | None = None) -> SessionPlan:
    """Turn a request into a plan; nothing is built or run. See `nntest.measure.plan.plan_session`."""
    return _plan_session(request, real_world(request.target) if world is None else world)


def run_session(plan: SessionPlan, reporter: Reporter | None = None, world: World | None = None) -> Summary:
    """Build, measure, check and record everything in the plan.

    Raises
    ------
    BusyMachineError
        Another session is measuring on this machine.
    MissingPartError
        There is no compiler.
    UsageError
        The folder of ``dump`` cannot be written.
    """
    world = real_world(plan.request.target) if world is None else world
    if plan.request.dump is not None:
        open_dump(plan.request.dump)
    require_writable(
        world.cache_root,
        purpose="caches and journals",
        advice="see to the folder, or name another one with XDG_CACHE_HOME",
    )
    with (
        _no_old_garbage(),
        Interrupts() as interrupts,
        machine_lock(world.lock_path, now=world.now(), share=plan.request.share) as shared,
    ):
        return _Session(plan, reporter or SilentReporter(), world, interrupts, shared=shared).run()


@contextmanager
def _no_old_garbage() -> Iterator[None]:
    """Have the collector pass over all that is there by now: to search it takes 20 ms, at any moment."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Session:
    def __init__(
        self, plan: SessionPlan, reporter: Reporter, world: World, interrupts: Interrupts, *, shared: bool
    ) -> None:
        self._account = Account(world.clock)
        self._reporter = reporter
        self._world = world
        self._interrupts = interrupts
        self._shared = shared
        self._started = world.now()
        self._clock_at_start = world.clock()
        self._recovered = self._recover(plan)
        if self._recovered is not None and plan.request.order_seed is None:
            plan = replace(plan, plan=replace(plan.plan, order_seed=self._recovered.order_seed))
        self._plan = plan
        self._platform = world.platform()
        self._recorder = Recorder(plan, self._platform, world, started=self._started)
        self._points: list[Point] = []
        self._made: dict[str, Made] = {}
        self._energy: Energy | None = None
        self._refused: dict[str, str] = {}
        self._lost_groups = 0
        self._work: Work | None = None
        self._done_s = 0.0
        self._total_s = 0.0

    def run(self) -> Summary:
        interrupted = False
        if not self._plan.request.no_record:
            self._recorder.prepare()
        with Journal(self._journal_path()) as journal:
            self._reporter.session_started(self._plan)
            self._write_header(journal)
            try:
                self._measure(journal)
            except SessionInterrupted:
                interrupted = True
            summary = self._summary(journal.path, interrupted=interrupted)
            journal.write("end", account=dict(summary.account_s), exit_code=summary.exit_code)
        self._reporter.session_finished(summary)
        return summary

    def _recover(self, plan: SessionPlan) -> Recovered | None:
        if not plan.request.resume:
            return None
        recovered = recover_newest(self._journals, plan.name)
        if recovered is None:
            self._reporter.note(f"resume: {plan.name} has no journal; points that are on disk are not measured again")
        return recovered

    @property
    def _journals(self) -> Path:
        return self._world.cache_root / "journals"

    def _journal_path(self) -> Path:
        if self._recovered is not None:
            return self._recovered.path
        return new_journal_path(self._journals, self._plan.name)

    @property
    def _adopts(self) -> bool:
        """Whether points of other sessions count: not those of an equal one while this one is unfinished."""
        known = self._recovered
        return self._plan.request.resume and (known is None or known.ended or known.adopts)

    @property
    def _whose(self) -> str:
        """Id of the session whose points count as done; empty for whichever."""
        return "" if self._adopts else self._session_id

    def _find_point(self, trial: Trial, uid: str) -> Found | None:
        return self._recorder.find_point(trial, uid, session=self._whose)

    def _write_header(self, journal: Journal) -> None:
        self._session_id = self._recovered.session if self._recovered else journal.path.stem
        journal.write(
            "session",
            format=FORMAT,
            session=self._session_id,
            timestamp=self._plan.timestamp,
            record_uoa=self._plan.request.record_uoa,
            record_repo=self._plan.request.record_repo,
            started_unix=self._started.timestamp(),
            plan=asdict(self._plan.plan),
            platform=self._platform.block(),
            request={**asdict(self._plan.request), "dump": str(self._plan.request.dump or "")},
            pid=os.getpid(),
            adopts=self._adopts,
        )

    def _measure(self, journal: Journal) -> None:
        standings = build_all(
            self._plan,
            self._platform,
            self._world,
            account=self._account,
            interrupts=self._interrupts,
            reporter=self._reporter,
        )
        work = self._work = what_is_left(self._plan, standings, self._recovered, self._find_point)
        for note in work.notes:
            self._reporter.note(note)
        self._refused.update(work.refused)
        self._total_s = sum(one.estimated_s(self._plan.plan) for one in work.groups)
        if self._plan.request.resume:
            cases = sum(len(one.standings) for one in work.groups)
            self._reporter.session_resumed(self._plan, cases, len(work.groups), self._total_s)
        meter = self._settle(work.groups)
        self._energy = meter.facts
        patience = Patience.of(self._plan.request, self._world.clock)
        with output_scratch() as scratch, output_scratch() as scratch_again:
            check = OutputCheck(self._world, self._account, self._interrupts, scratch, scratch_again)
            bench = Bench(
                world=self._world,
                meter=meter,
                plan=self._plan.plan,
                account=self._account,
                journal=journal,
                interrupts=self._interrupts,
                check=None if self._plan.request.skip_output_validation else check,
                began_s=self._began_s(),
                dump=self._plan.request.dump,
                stems=dump_stems(standings),
                visited=self._visited,
                completed=self._completed,
            )
            lost_in_a_row = 0
            for index, one in enumerate(work.groups):
                deadline = patience.deadline(groups_left=len(work.groups) - index)
                try:
                    self._measure_group(bench, one, patience, deadline)
                    lost_in_a_row = 0
                except ConnectionLostError as error:
                    # nothing of the group is published: a session that resumes this one measures it as a whole
                    self._made.clear()
                    lost_in_a_row += 1
                    self._lost_groups += 1
                    self._reporter.note(f"group {one.group.number} is lost: {error}")
                    if lost_in_a_row == _LOST_IN_A_ROW:
                        self._lost_groups += len(work.groups) - index - 1
                        break

    def _settle(self, groups: Sequence[GroupWork]) -> EnergyMeter:
        """Measure the idle machine while nothing runs, where its energy counters can be read."""
        counters = self._world.energy()
        if not groups:
            return EnergyMeter(counters, self._world.clock)
        with self._interrupts.waiting():
            meter = EnergyMeter.settled(counters, self._world.clock, self._world.sleep)
        if meter.idle_w is not None:
            self._reporter.note(f"energy: {meter.facts.tier} ({meter.idle_w:.1f} W over {meter.facts.idle_s:g} s)")
        return meter

    def _measure_group(self, bench: Bench, work: GroupWork, patience: Patience, deadline: float | None) -> None:
        group, standings, plan = work.group, work.standings, bench.plan
        bench.journal.write("group", group=group.number, uids=[standing.uid for standing in standings])
        launch = work.launches_done
        while launch < plan.launches or patience.wants_more(standings, deadline):
            if all(standing.lost for standing in standings):
                break
            final = launch + 1 == plan.launches and not patience.asks
            GroupLaunch(bench, group, standings, launch, final=final).run(plan.rounds(launch) or plan.rounds(0))
            launch += 1
        self._publish(bench, group, standings)

    def _publish(self, bench: Bench, group: Group, standings: Sequence[Standing]) -> None:
        journal = bench.journal
        with self._account.on(*(standing.uid for standing in standings)):
            made = [self._make(standing, group) for standing in standings if standing.loss != "unsupported"]
            if not self._plan.request.no_record:
                for one, path in zip(made, self._recorder.save(made), strict=True):
                    journal.write("published", group=group.number, uid=one.point.uid, path=str(path))
        journal.write("group_end", group=group.number)
        self._points += [one.point for one in made]
        for one in made:
            self._reporter.case_done(one.trial, one.point)
        for standing in standings:
            if standing.loss == "unsupported":
                self._refused[standing.trial.name] = standing.reason
                self._reporter.case_done(standing.trial, None)
        self._reporter.group_done(group)

    def _completed(self, standing: Standing, group: Group) -> None:
        """Make the point of a trial that will not be visited again, while another one is set up."""
        self._made[standing.uid] = self._make(standing, group)

    def _make(self, standing: Standing, group: Group) -> Made:
        known = self._made.pop(standing.uid, None)
        # its program may have been given up since
        if known is not None and not standing.lost:
            return known
        origin = self._origin(standing, group)
        point = standing.point(self._plan.plan, origin, energy=self._energy, shared_machine=self._shared)
        data = b"" if self._plan.request.no_record else to_bytes(point)
        return Made(trial=standing.trial, point=point, data=data)

    def _began_s(self) -> float:
        """Return the session's start on the world's clock; a resumed session's lies in the past."""
        before = self._started.timestamp() - self._recovered.started_unix if self._recovered is not None else 0.0
        return self._clock_at_start - max(0.0, before)

    def _origin(self, standing: Standing, group: Group) -> Origin:
        return Origin(
            dataset=standing.trial.shape.dataset,
            dataset_file=standing.trial.shape.dataset_file,
            session=self._session_id,
            timestamp=self._plan.timestamp,
            group=group.number,
        )

    def _visited(self, standing: Standing) -> None:
        self._done_s += estimate_s(standing.trial, self._plan.plan) / self._plan.plan.repetitions
        self._reporter.advanced(min(self._done_s, self._total_s), self._total_s)

    def _summary(self, journal: Path, *, interrupted: bool) -> Summary:
        work = self._work or Work()
        advice = ""
        if (interrupted or self._lost_groups) and not self._plan.request.no_record:
            groups = f"{self._lost_groups} {'group' if self._lost_groups == 1 else 'groups'}"
            why = "interrupted" if interrupted else f"the connection was lost, and {groups} with it"
            there = len(self._points) + self._there_before()
            advice = (
                f"{why}: {there} {'point is' if there == 1 else 'points are'} on disk; "
                f"add {resume_options(self._plan)} to the same command to do the rest"
            )
        return Summary(
            points=len(self._points),
            failed=sum(point.failure is not None for point in self._points),
            unsupported=len(self._refused),
            skipped=work.skipped,
            experiments=dict(self._recorder.experiments),
            results=tuple(self._points),
            refused=dict(self._refused),
            journal=journal,
            timestamp=self._plan.timestamp,
            account_s=self._account.totals(),
            harness_by_point_s=dict(self._account.harness_by_point_s),
            interrupted=interrupted,
            lost_groups=self._lost_groups,
            advice=advice,
            found=work.found,
            found_failed=work.found_failed,
        )

    def _there_before(self) -> int:
        """Count the points that a resumed session has had before, also where it is ended before it has looked."""
        if self._work is not None or not self._plan.request.resume:
            return self._work.found if self._work is not None else 0
        return self._recorder.count_points(session=self._whose)


def resume_options(plan: SessionPlan) -> str:
    """Return the options that continue this session."""
    if plan.request.record_uoa:
        return f"--record_uoa={plan.request.record_uoa} --resume"
    return f"--timestamp={plan.timestamp} --resume"
