"""What a session needs from outside: libraries, compiler, drivers, clock, disk. All of it can be replaced in tests."""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nntest.measure import machine
from nntest.measure.energy import ELSEWHERE, NOT_LOOKED_FOR, Counters, open_counters
from nntest.measure.lock import machine_lock_path
from nntest.model.case import Case, Platform, Subject
from nntest.model.point import Verification
from nntest.store.repository import Repository, resolve_repository

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nntest.measure.build import BuiltProgram
    from nntest.measure.compiler import Compiler
    from nntest.measure.driver import (
        Ahead,
        BlockAnswer,
        HandOver,
        OutputAnswer,
        PeakAnswer,
        SetupAnswer,
        WarmUpAnswer,
    )
    from nntest.measure.libraries import FoundLibrary
    from nntest.measure.reference import Reference, ReferenceCache
    from nntest.measure.trial import Candidate

# The target that is simply this machine.
NATIVE_TARGET = "native"

_DESCRIBE_TIMEOUT_S = 60.0


class Driver(AbstractContextManager["Driver"], Protocol):
    """One live driver process, as ``measure.driver.DriverProcess`` has it."""

    def setup(self, key: int, case: Case, output: Path | None = None, *, unless: str = "") -> "SetupAnswer":
        """Prepare a case under a key and run it; write the output, where a file is named, unless its hash is known."""

    def warm_up(self, key: int, *, max_s: float, tolerance: float, block_min_s: float) -> "WarmUpAnswer":
        """Run untimed until the times settle; calibrates the loops of a block."""

    def block(self, key: int, *, loops: int | None) -> "BlockAnswer":
        """Prime, then time ``loops`` calls, or as many as the warm-up has calibrated."""

    def output(self, key: int, path: Path, *, unless: str = "") -> "OutputAnswer":
        """Run into a poisoned buffer; write the output unless its hash is ``unless``."""

    def dump_tensor(self, key: int, role: str, path: Path) -> None:
        """Write a tensor as the driver made it."""

    def peak(self, *, threads: int, seconds: float) -> "PeakAnswer":
        """Measure the peak of fused multiply-adds."""

    def send(self, ahead: "Ahead") -> None:
        """Send what will be asked, so that the process need not wait for it."""

    def hand_over(self, ahead: "Ahead") -> "HandOver | None":
        """Return what another driver is to write so that this one begins what will be sent to it next."""

    def settle(self) -> None:
        """Wait for the answers to what was sent and is no longer wanted."""

    def pause(self) -> None:
        """Stop the process and its threads."""

    def resume(self) -> None:
        """Let it go on."""

    def close(self) -> None:
        """End the process."""


class StartDriver(Protocol):
    """Start a driver process for what was built."""

    def __call__(
        self,
        built: "BuiltProgram",
        *,
        cores: Sequence[int],
        threads: int,
        env: Mapping[str, str],
        heap_offset: int,
        timeout_s: float,
        memory_bytes: int = 0,
    ) -> Driver:
        """Return the driver, ready for requests."""


@dataclass(frozen=True, kw_only=True)
class World:
    """The outside of a session; ``real_world`` is the one that users have.

    ``is_at_hand`` tells whether what ``expected`` gives need not be computed. ``describe`` tells what a built program
    says of itself; only those on an OpenCL device are asked. ``profiled`` puts a program under the profiler that there
    is for it; ``counted`` has its instructions counted, None where nothing can.
    ``repositories`` are those in which programs and datasets are looked for, None for all that are known.
    ``clock`` counts seconds on the clock of the drivers' ``start_s`` (CLOCK_MONOTONIC).
    """

    cache_root: Path
    lock_path: Path
    find_library: Callable[[str, str], "FoundLibrary"]
    build: Callable[["Candidate"], "BuiltProgram"]
    unbuilt_subject: Callable[["Candidate"], Subject]
    start_driver: StartDriver
    expected: Callable[[Case], "Reference"]
    verify: Callable[[Case, "npt.NDArray[np.generic]", "Reference", str], Verification]
    platform: Callable[[], Platform]
    is_at_hand: Callable[[Case], bool] = lambda _: False
    describe: Callable[["BuiltProgram"], Mapping[str, Any]] = lambda _: {}
    profiled: Callable[["Candidate", "BuiltProgram"], "BuiltProgram"] = lambda _, built: built
    counted: Callable[["BuiltProgram"], "BuiltProgram"] | None = None
    conditions: Callable[[], machine.Conditions] = machine.conditions
    energy: Callable[[], Counters] = lambda: NOT_LOOKED_FOR
    choose_cores: Callable[[int], tuple[int, ...]] = machine.choose_cores
    repository: Callable[[str], Repository] = resolve_repository
    repositories: Sequence[Repository] | None = None
    order_seed: Callable[[], int] = lambda: random.SystemRandom().getrandbits(31)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc).astimezone()


def cache_root(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of all caches: builds, references, journals, index."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "nntest"


def real_world(target: str = NATIVE_TARGET) -> World:
    """Return the world as it is: installed libraries, a compiler, processes.

    Parameters
    ----------
    target
        Where programs are built for and run, one of ``targets.TARGET_NAMES``, or ``ssh:user@board``.

    Raises
    ------
    UsageError, MissingPartError
        There is no such target, or it is not installed.
    """
    root = cache_root()
    if target.startswith("ssh:"):
        from nntest.measure.targets.ssh import world_on_board

        return world_on_board(target, _native_world(root))
    if target != NATIVE_TARGET:
        return _world_on(target, root)
    return _native_world(root)


def _native_world(root: Path) -> World:
    references = _References(root / "references")
    return World(
        cache_root=root,
        lock_path=machine_lock_path(),
        find_library=_find_library,
        build=lambda candidate: _build(candidate, root),
        unbuilt_subject=_unbuilt_subject,
        start_driver=_start_driver,
        expected=references.expected,
        is_at_hand=references.is_at_hand,
        verify=_verify,
        platform=lambda: machine.identify(root),
        describe=_describe,
        profiled=lambda candidate, built: _profiled(candidate, built, root, None),
        energy=open_counters,
    )


def _world_on(name: str, root: Path) -> World:
    """Return the world of another target: what is built, found and started there; the rest is this machine's."""
    from nntest.measure.build import build
    from nntest.measure.targets import find_target
    from nntest.measure.targets.counting import counted_by

    target = find_target(name, root)

    def build_for(candidate: "Candidate") -> "BuiltProgram":
        built = build(
            candidate.program,
            candidate.library,
            flags=candidate.flags,
            cache_root=root / "builds",
            compiler=target.compiler,
        )
        return replace(built, env={**target.env, **built.env}, runner=target.runner, emulated=bool(target.runner))

    def start_driver(
        built: "BuiltProgram",
        *,
        cores: Sequence[int],
        threads: int,
        env: Mapping[str, str],
        heap_offset: int,
        timeout_s: float,
        memory_bytes: int = 0,
    ) -> Driver:
        return _start_driver(
            built,
            cores=cores,
            threads=threads,
            env=env,
            heap_offset=heap_offset,
            timeout_s=timeout_s * target.patience,
            memory_bytes=memory_bytes,
        )

    here = _native_world(root)
    return replace(
        here,
        find_library=target.find_library,
        build=build_for,
        start_driver=start_driver,
        profiled=lambda candidate, built: _profiled(candidate, built, root, target.compiler),
        platform=lambda: target.platform(here.platform()),
        counted=None if target.counter is None else counted_by(target.counter),
        energy=lambda: ELSEWHERE,
    )


# The parts below are imported when they are first needed: a listing needs no compiler and no numpy.


def _find_library(name: str, spec: str) -> "FoundLibrary":
    from nntest.measure.libraries import find_library

    return find_library(name, spec)


def _build(candidate: "Candidate", root: Path) -> "BuiltProgram":
    from nntest.measure.build import build

    return build(candidate.program, candidate.library, flags=candidate.flags, cache_root=root / "builds")


def _profiled(candidate: "Candidate", built: "BuiltProgram", root: Path, compiler: "Compiler | None") -> "BuiltProgram":
    from nntest.measure.build import build_layer
    from nntest.measure.profiling import profiled, profiler_of

    def layer() -> Path:
        return build_layer(candidate.library, "opencl_profile", cache_root=root / "builds", compiler=compiler)

    return profiled(built, profiler_of(candidate.program), layer)


def _unbuilt_subject(candidate: "Candidate") -> Subject:
    """Identity of what could not be built: its sources are known, no compiler made anything of them."""
    from nntest.measure.build import program_hash

    return Subject(
        program=candidate.program.uoa,
        program_sha=program_hash(candidate.program),
        driver_sha="",
        library=candidate.library.library,
        compiler="",
        flags=candidate.flags,
    )


def _start_driver(
    built: "BuiltProgram",
    *,
    cores: Sequence[int],
    threads: int,
    env: Mapping[str, str],
    heap_offset: int,
    timeout_s: float,
    memory_bytes: int = 0,
) -> Driver:
    from nntest.measure.driver import DriverProcess

    return DriverProcess.start(
        built,
        cores=cores,
        threads=threads,
        env=env,
        heap_offset=heap_offset,
        timeout_s=timeout_s,
        memory_bytes=memory_bytes,
    )


def _describe(built: "BuiltProgram") -> Mapping[str, Any]:
    """Ask a program what it says of itself, in a process that does nothing else."""
    from nntest.measure.driver import DriverProcess

    with DriverProcess.start(
        built, cores=(), threads=1, env={}, heap_offset=0, timeout_s=_DESCRIBE_TIMEOUT_S
    ) as driver:
        return driver.describe


class _References:
    """The cache of references, opened when it is first asked."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def _cache(self) -> "ReferenceCache":
        from nntest.measure.reference import ReferenceCache

        return ReferenceCache(self._root)

    def expected(self, case: Case) -> "Reference":
        return self._cache.expected(case)

    def is_at_hand(self, case: Case) -> bool:
        return self._cache.is_at_hand(case)


def _verify(case: Case, output: "npt.NDArray[np.generic]", reference: "Reference", algorithm: str) -> Verification:
    from nntest.measure.verify import verify

    return verify(case, output, reference, algorithm)
