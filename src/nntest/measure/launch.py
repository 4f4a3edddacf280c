"""One launch of a group: fresh processes, rounds in shuffled order, outputs checked, samples taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nntest.errors import DriverError, NNTestError
from nntest.measure.account import Account
from nntest.measure.backlog import Backlog
from nntest.measure.driver import (
    Ahead,
    DriverCrash,
    DriverFailure,
    DriverTimeout,
    HandOver,
    SetUp,
    SetupAnswer,
    UnsupportedCase,
    WarmUpRules,
)
from nntest.measure.dump import dump_case
from nntest.measure.energy import EnergyMeter
from nntest.measure.groups import Group, round_order
from nntest.measure.interrupts import Interrupts, SessionInterrupted
from nntest.measure.journal import Journal
from nntest.measure.machine import Conditions
from nntest.measure.output import NotCheckedError, OutputCheck
from nntest.measure.processes import Processes, Slot
from nntest.measure.standing import Loss, Standing, launch_facts
from nntest.measure.trial import Trial
from nntest.measure.world import Driver, World
from nntest.model.case import Plan
from nntest.model.point import Launch, Profile, Sample, WarmUp, Watch
from nntest.model.species import find_species

# A program that dies case after case is broken as a whole; the rest is not waited for.
LOSSES_IN_A_ROW = 5

# Buffers begin on pages of their own. What is not reserved is had page by page, which only costs time.
_PAGES_OF_A_CASE = 8 * 4096
_MOST_RESERVED = 1 << 28

_LOSSES: Mapping[type[DriverError], Loss] = {
    DriverCrash: "crash",
    DriverTimeout: "timeout",
    DriverFailure: "error",
}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all launches of a session share.

    ``began_s`` is the session's start on the world's clock: samples say when they were taken relative to it.
    ``dump`` takes the tensors, under the names that ``stems`` has by uid. ``visited`` is told after each visit, with
    the trial's standing, and ``completed`` after a trial's last, where that is known.
    """

    world: World
    meter: EnergyMeter
    plan: Plan
    account: Account
    journal: Journal
    interrupts: Interrupts
    check: OutputCheck | None
    began_s: float
    dump: Path | None = None
    stems: Mapping[str, str] = field(default_factory=dict)
    visited: Callable[[Standing], None] = lambda _: None
    completed: Callable[[Standing, Group], None] = lambda _, __: None


class GroupLaunch:
    """One launch of one group; ``final`` where it is known that no other follows."""

    def __init__(
        self, bench: Bench, group: Group, standings: Sequence[Standing], launch: int, *, final: bool = False
    ) -> None:
        self._bench = bench
        self._group = group
        self._launch = launch
        self._final = final
        self._standings = {id(standing.trial): standing for standing in standings}
        self._keys = {id(standing.trial): key for key, standing in enumerate(standings)}
        self._losses: dict[Slot, int] = {}
        self._set_up_in_launch: set[str] = set()
        self._rechecked: set[int] = set()
        self._backlog = Backlog()
        self._coming: Sequence[Trial] = ()

    def run(self, rounds: int) -> None:
        """Measure all rounds of the launch; losses are recorded in the standings, an interruption passes through."""
        bench, seed = self._bench, self._bench.plan.order_seed
        with Processes(
            bench.world,
            bench.account,
            bench.interrupts,
            timeout_s=bench.plan.timeout_s,
            seed=f"{seed}:{self._group.number}:{self._launch}",
            memory_bytes=self._memory_bytes(),
        ) as processes:
            try:
                for round_ in range(rounds):
                    order = round_order(self._group, seed=seed, launch=self._launch, round_=round_)
                    for number, trial in enumerate(order, start=1):
                        self._coming = order[number:]
                        standing = self._standings.get(id(trial))
                        if standing is not None and not standing.lost:
                            self._visit(processes, standing, round_, last=round_ == rounds - 1)
                self._recheck_all(processes)
            except (SessionInterrupted, NNTestError):
                self._backlog.clear()
                raise
        with bench.account.on(*(standing.uid for standing in self._standings.values())):
            self._backlog.clear()
        bench.journal.write("launch_end", group=self._group.number, launch=self._launch)

    def _visit(self, processes: Processes, standing: Standing, round_: int, *, last: bool) -> None:
        self._bench.interrupts.check()
        with self._bench.account.on(standing.uid):
            self._guard(
                processes, standing, lambda driver, one: self._sample(processes, driver, one, round_, last=last)
            )
            self._backlog.add(lambda: self._bench.visited(standing))
            if last and self._final and not standing.lost:
                self._backlog.add(lambda: self._bench.completed(standing, self._group))

    def _recheck_all(self, processes: Processes) -> None:
        """Compare the outputs after the last blocks; not those whose process a neighbour has taken down since."""
        for standing in self._standings.values():
            if standing.lost or id(standing) in self._rechecked:
                continue
            if processes.is_ready(self._slot(standing), self._key(standing)):
                with self._bench.account.on(standing.uid):
                    self._guard(processes, standing, self._recheck)
            else:
                standing.restarted = True

    def _guard(self, processes: Processes, standing: Standing, step: Callable[[Driver, Standing], None]) -> None:
        """Run a step; what goes wrong costs this trial only."""
        slot = self._slot(standing)
        try:
            step(processes.use(slot), standing)
        except UnsupportedCase as error:
            self._lose(standing, "unsupported", str(error))
        except NotCheckedError as error:
            # the process is well: it stays for its other cases
            self._lose(standing, "error", str(error))
        except (DriverCrash, DriverTimeout, DriverFailure) as error:
            # whoever ends the session may end the drivers too: their death is no result then
            self._bench.interrupts.check()
            processes.discard(slot)
            self._lose(standing, _LOSSES[type(error)], str(error))
            self._give_up_slot(slot, str(error))
        else:
            self._losses[slot] = 0

    def _sample(self, processes: Processes, driver: Driver, standing: Standing, round_: int, *, last: bool) -> None:
        bench, key = self._bench, self._key(standing)
        # frozen with the first warm-up; until then the block takes what that calibrates
        loops = standing.loops or bench.plan.loops
        if processes.is_ready(self._slot(standing), key):
            # what comes next is priming, which is short: our own work must not reach into the block
            self._backlog.clear()
            driver.send(self._block(standing, loops, last=last))
            other_output = None
        else:
            other_output = self._set_up(processes, driver, standing, loops, last=last)
            if standing.lost:
                self._settle(driver)
                return
        # between cold calls the caches are evicted, which takes more energy than the calls
        mark = bench.meter.mark() if standing.trial.case.cache == "warm" else None
        with bench.interrupts.waiting():
            answer = driver.block(key, loops=loops)
        energy = bench.meter.above_idle(mark, timed_s=answer.seconds, primed_s=answer.prime_s)
        bench.account.add("prime", answer.prime_s)
        bench.account.add("timed", answer.seconds)
        if bench.check is not None and other_output is not None:
            self._settle(driver)
            self._check(bench.check, other_output, standing)
            if standing.lost:
                return
        bench.account.sampled()
        sample = Sample(
            launch=self._launch,
            round=round_,
            loops=answer.loops,
            seconds=answer.seconds,
            at_s=answer.start_s - bench.began_s,
            watch=Watch(
                involuntary_switches=answer.involuntary_switches,
                minor_faults=answer.minor_faults,
                major_faults=answer.major_faults,
                steal_s=answer.steal_s,
                core_ghz=answer.core_ghz,
                instructions=answer.instructions,
                **energy,
            ),
            profile=None if answer.profile is None else Profile.of(answer.profile),
        )
        standing.samples.append(sample)
        self._record("sample", standing, **vars(sample))
        if last:
            self._recheck(driver, standing)
            self._rechecked.add(id(standing))

    def _settle(self, driver: Driver) -> None:
        """Wait for what was sent and is no longer wanted, so that the next process has the machine to itself."""
        with self._bench.interrupts.waiting():
            driver.settle()

    def _block(self, standing: Standing, loops: int | None, *, last: bool) -> Ahead:
        """Return the block as it is sent ahead, with the output after the last one; nothing where energy is read."""
        bench, key = self._bench, self._key(standing)
        if bench.meter.reads:
            return Ahead(key=key)
        output = None if bench.check is None or not last else (bench.check.scratch_again, standing.output_hash)
        return Ahead(key=key, block=True, loops=loops, output=output)

    def _set_up(
        self, processes: Processes, driver: Driver, standing: Standing, loops: int | None, *, last: bool
    ) -> SetupAnswer | None:
        """Set a case up in the slot's process: output first, then warm-up; a wrong output ends the trial.

        None of it is timed, so that our own work is done meanwhile: what visits before have left over, and the first
        comparison of the output. An output that differs from the one that passed is to be compared too, when the
        block is over: its answer is returned.
        """
        bench, key, case = self._bench, self._key(standing), standing.trial.case
        decided, first = self._is_decided(standing), self._first_requests(standing)
        warms_up = first.warm_up is not None
        driver.send(first)
        self._backlog.clear()
        if decided:
            self._send_block(processes, driver, standing, loops, last=last)
        elif warms_up:
            self._load(driver, standing)
        wish = self._set_up_wish(standing)
        with bench.interrupts.waiting():
            answer = driver.setup(key, case, wish.output, unless=wish.unless)
        bench.account.add("set_up", answer.library_s)
        processes.set_ready(self._slot(standing), key)
        if not warms_up and bench.dump is None:
            self._expect(standing)
            driver.send(Ahead(key=key, warm_up=self._warm_up_rules))
        other_output = answer if decided and bench.check is not None and answer.hash != standing.output_hash else None
        if other_output is None:
            self._check_first(driver, answer, standing)
        if bench.dump is not None and self._launch == 0:
            # a wrong output is the one that somebody will want to see
            dump_case(bench.dump, driver, key, standing, bench.stems[standing.uid])
        if standing.lost:
            return None
        if bench.dump is not None:
            driver.send(Ahead(key=key, warm_up=self._warm_up_rules))
        if not decided:
            self._send_block(processes, driver, standing, loops, last=last)
        self._keep_launch(standing, answer, self._warm_up(driver, standing))
        return other_output

    def _keep_launch(self, standing: Standing, answer: SetupAnswer, warm_up: WarmUp) -> None:
        """Remember what a launch has shown before its first block."""
        standing.memory_bytes = answer.memory_bytes
        if standing.uid in self._set_up_in_launch:
            # set up again after a neighbour took the process down: the launch keeps its first facts
            standing.restarted = True
            return
        self._set_up_in_launch.add(standing.uid)
        bench, around = self._bench, self._around
        launch = Launch(
            launch=self._launch,
            setup_s=answer.create_s + answer.prepare_weights_s,
            prepare_weights_s=answer.prepare_weights_s,
            reorder_in_s=answer.reorder_in_s,
            reorder_out_s=answer.reorder_out_s,
            first_run_s=answer.first_run_s,
            warm_up=warm_up,
            implementation=answer.implementation,
            native_layouts=dict(answer.native_layouts),
            cores=tuple(answer.cores),
            load_1min=around.load_1min,
            governor=around.governor,
            temperature_c=around.temperature_c,
            idle_w=bench.meter.idle_w,
        )
        standing.launches.append(launch)
        self._record(
            "set_up",
            standing,
            launch=self._launch,
            launch_facts=launch_facts(launch),
            loops=standing.loops,
            memory_bytes=standing.memory_bytes,
        )

    def _record(self, kind: str, standing: Standing, **fields: Any) -> None:
        """Have a line written to the journal, after the block whose time it would disturb."""
        group, uid = self._group.number, standing.uid
        self._backlog.add(lambda: self._bench.journal.write(kind, group=group, uid=uid, **fields))

    @cached_property
    def _warm_up_rules(self) -> WarmUpRules:
        plan = self._bench.plan
        return WarmUpRules(max_s=plan.warm_up_max_s, tolerance=plan.warm_up_tolerance, block_min_s=plan.block_min_s)

    @cached_property
    def _around(self) -> Conditions:
        """The machine when the launch began."""
        return self._bench.world.conditions()

    def _warm_up(self, driver: Driver, standing: Standing) -> WarmUp:
        bench = self._bench
        with bench.interrupts.waiting():
            answer = driver.warm_up(self._key(standing), **self._warm_up_rules)
        bench.account.add("prime", answer.spent_s)
        if standing.loops is None:
            standing.loops = bench.plan.loops or answer.loops
        return WarmUp(values_s=tuple(answer.values_s), settled=answer.settled)

    def _is_decided(self, standing: Standing) -> bool:
        """Whether nothing has to be looked at between a set-up and the block behind it, unless it comes out new."""
        bench = self._bench
        return bench.dump is None and (bench.check is None or bool(standing.output_hash))

    def _set_up_wish(self, standing: Standing) -> SetUp:
        check = self._bench.check
        output = None if check is None else check.scratch
        return SetUp(case=standing.trial.case, output=output, unless=standing.output_hash)

    def _first_requests(self, standing: Standing) -> Ahead:
        """Return the set-up as it is sent ahead, with the warm-up behind it if nothing else is to come first.

        That may be a reference that is not at hand, which takes the machine, or a dump, which takes the process.
        """
        bench = self._bench
        set_up = Ahead(key=self._key(standing), set_up=self._set_up_wish(standing))
        if self._is_decided(standing):
            return replace(set_up, warm_up=self._warm_up_rules, quiet=not bench.meter.reads)
        at_hand = bench.dump is None and bench.check is not None and bench.check.is_at_hand(standing)
        return replace(set_up, warm_up=self._warm_up_rules) if at_hand else set_up

    def _send_block(
        self, processes: Processes, driver: Driver, standing: Standing, loops: int | None, *, last: bool
    ) -> None:
        """Send the block of a case that is set up, and have the next driver begin when it is done.

        That one sets up and warms up then: our own work on this visit does not reach into its block, which is sent
        when that work is done.
        """
        block = self._block(standing, loops, last=last)
        if block.block:
            block = replace(block, then=self._hand_over(processes, standing), known=standing.output_hash)
        driver.send(block)

    def _hand_over(self, processes: Processes, standing: Standing) -> HandOver | None:
        """Return what the driver of a case is to write to the one whose turn comes next, if that is to be set up."""
        alive = (self._standings.get(id(trial)) for trial in self._coming)
        coming = next((one for one in alive if one is not None and not one.lost), None)
        if coming is None:
            return None
        slot, mine = self._slot(coming), self._slot(standing)
        if max(slot.threads, mine.threads) > 1:
            return None  # idle threads may spin: they are stopped in between
        if slot == mine or processes.is_ready(slot, self._key(coming)):
            return None
        driver = processes.live(slot)
        return None if driver is None else driver.hand_over(self._first_requests(coming))

    def _load(self, driver: Driver, standing: Standing) -> None:
        check = self._bench.check
        assert check is not None
        try:
            check.load(standing)
        except NotCheckedError:
            self._settle(driver)
            raise

    def _expect(self, standing: Standing) -> None:
        if self._bench.check is not None:
            self._bench.check.expect(standing)

    def _check_first(self, driver: Driver, answer: SetupAnswer, standing: Standing) -> None:
        if self._bench.check is None:
            return
        try:
            self._check(self._bench.check, answer, standing)
        except NotCheckedError:
            self._settle(driver)
            raise

    def _check(self, check: OutputCheck, answer: SetupAnswer, standing: Standing) -> None:
        """Compare the first run's output with what is known; the first time with the reference."""
        first = not standing.output_hash
        check.judge(answer.hash, standing, answer.implementation)
        if standing.verification.verified is False:
            self._lose(standing, "wrong", standing.verification.reason)
        elif first:
            self._record("checked", standing, verification=vars(standing.verification), hash=standing.output_hash)

    def _recheck(self, driver: Driver, standing: Standing) -> None:
        """Compare the output once more after the last block: what ran must still be what was checked."""
        bench = self._bench
        if bench.check is None or not standing.samples:
            return
        bench.check.recompute(driver, self._key(standing), standing, standing.launches[-1].implementation)
        if standing.verification.verified is False:
            self._lose(standing, "wrong", f"the output changed during timing: {standing.verification.reason}")

    def _lose(self, standing: Standing, loss: Loss, reason: str) -> None:
        if standing.lost:
            return  # the first reason counts, in the journal too
        standing.give_up(loss, reason)
        self._record("lost", standing, loss=loss, reason=reason)

    def _give_up_slot(self, slot: Slot, reason: str) -> None:
        """Give up a program whose processes die one after the other without a sample in between."""
        self._losses[slot] = self._losses.get(slot, 0) + 1
        if self._losses[slot] < LOSSES_IN_A_ROW:
            return
        for standing in self._standings.values():
            if not standing.lost and self._slot(standing) == slot:
                self._lose(
                    standing, "crash", f"not run: {LOSSES_IN_A_ROW} processes of this program died in a row ({reason})"
                )

    def _memory_bytes(self) -> dict[Slot, int]:
        """Return what the buffers of each process will take: all its cases, and room to prepare them.

        There the plain tensors of the largest case so far stand ready; smaller ones that they have replaced are lost.
        """
        cases: dict[Slot, list[int]] = {}
        for standing in self._standings.values():
            if standing.built is not None and not standing.lost:
                case = standing.trial.case
                tensors = find_species(case.species).bytes_moved(case.parameters, case.batch_size, dtype=case.dtype)
                cases.setdefault(self._slot(standing), []).append(tensors + _PAGES_OF_A_CASE)
        return {slot: min(sum(sizes) + 4 * max(sizes), _MOST_RESERVED) for slot, sizes in cases.items()}

    def _slot(self, standing: Standing) -> Slot:
        if standing.built is None:
            raise NNTestError(f"{standing.trial.name}: not built")
        return Slot.of(standing.subject, standing.trial.case, standing.built)

    def _key(self, standing: Standing) -> int:
        return self._keys[id(standing.trial)]
