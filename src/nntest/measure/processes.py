"""The live driver processes of one launch: one per subject and number of threads, quiet when it is not their turn."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING

from nntest.measure.account import Account
from nntest.measure.interrupts import Interrupts
from nntest.measure.libraries.isa import isa_environment
from nntest.measure.world import Driver, World
from nntest.model.case import Case, Subject

if TYPE_CHECKING:
    from nntest.measure.build import BuiltProgram

# Buffers fall on other pages and cache sets in each launch; 64 KiB covers the ways of a first-level cache.
_HEAP_STEP = 64
_HEAP_STEPS = 1024


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What needs a process of its own: threads and environment are settled when a library is loaded."""

    subject_id: str
    threads: int
    built: "BuiltProgram" = field(compare=False, repr=False)
    isa_max: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, subject: Subject, case: Case, built: "BuiltProgram") -> "Slot":
        """Return the slot of a case; its own variables win over those that hold the library back."""
        env = {**isa_environment(subject.library.name, case.isa_max), **case.env}
        variables = tuple(sorted(env.items()))
        return cls(subject_id=subject.id, threads=case.threads, built=built, isa_max=case.isa_max, variables=variables)

    @property
    def env(self) -> dict[str, str]:
        """Variables of the process."""
        return dict(self.variables)


@dataclass
class _Process:
    driver: Driver
    ready: set[int] = field(default_factory=set)
    paused: bool = False


class Processes:
    """Start drivers when they are first needed, stop those that would spin, close all at the end."""

    def __init__(
        self,
        world: World,
        account: Account,
        interrupts: Interrupts,
        *,
        timeout_s: float,
        seed: str,
        memory_bytes: Mapping[Slot, int] = MappingProxyType({}),
    ) -> None:
        self._world = world
        self._account = account
        self._interrupts = interrupts
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._random = random.Random(seed)
        self._live: dict[Slot, _Process] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for slot in list(self._live):
            self.discard(slot)

    def use(self, slot: Slot) -> Driver:
        """Return the slot's driver, running, with every other that has more than one thread stopped.

        Raises
        ------
        DriverError
            The process could not be started.
        """
        for other, process in self._live.items():
            if other != slot and other.threads > 1 and not process.paused:
                # an idle one-thread process blocks on its next request; a pool may spin
                process.driver.pause()
                process.paused = True
        if slot not in self._live:
            self._live[slot] = _Process(self._start(slot))
        process = self._live[slot]
        if process.paused:
            process.driver.resume()
            process.paused = False
        return process.driver

    def live(self, slot: Slot) -> Driver | None:
        """Return the slot's driver if it has been started; nothing is stopped or resumed."""
        process = self._live.get(slot)
        return None if process is None else process.driver

    def is_ready(self, slot: Slot, key: int) -> bool:
        """Tell whether the slot's present process has that case set up."""
        return slot in self._live and key in self._live[slot].ready

    def set_ready(self, slot: Slot, key: int) -> None:
        """Remember that the slot's present process has that case set up."""
        self._live[slot].ready.add(key)

    def discard(self, slot: Slot) -> None:
        """End the slot's process, dead or alive; its cases have to be set up anew."""
        process = self._live.pop(slot, None)
        if process is not None:
            process.driver.close()

    def _start(self, slot: Slot) -> Driver:
        with self._account.spending("start"), self._interrupts.waiting():
            return self._world.start_driver(
                slot.built,
                cores=self._world.choose_cores(slot.threads),
                threads=slot.threads,
                env=slot.env,
                heap_offset=_HEAP_STEP * self._random.randrange(_HEAP_STEPS),
                timeout_s=self._timeout_s,
                memory_bytes=self._memory_bytes.get(slot, 0),
            )
