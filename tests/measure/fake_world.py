"""A world without compiler, libraries and processes: fake drivers on a fake clock that log what they are asked."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from nntest.errors import BuildError, MissingPartError
from nntest.measure.build import BuiltProgram
from nntest.measure.driver import (
    Ahead,
    BlockAnswer,
    DriverCrash,
    DriverFailure,
    DriverTimeout,
    HandOver,
    OutputAnswer,
    PeakAnswer,
    SetupAnswer,
    UnsupportedCase,
    WarmUpAnswer,
)
from nntest.measure.libraries import FoundLibrary
from nntest.measure.machine import Conditions
from nntest.measure.reference import Reference
from nntest.measure.reporter import SilentReporter
from nntest.measure.trial import Candidate
from nntest.measure.world import World
from nntest.model.case import Case, Library, Platform, Subject
from nntest.model.ids import block_id
from nntest.model.point import Point, Verification
from nntest.model.species import find_species
from nntest.store.repository import Repository

Fault = Callable[[str, int], None]
"""Called with the verb and how often that case has been asked it; raises what a driver would raise."""

PLATFORM = Platform(
    machine="0" * 16,
    model="Test Board",
    cpu="Test CPU",
    cores=2,
    memory_mb=1000,
    os="Test OS 1",
    kernel="Linux 6",
    arch="x86_64",
)


class Killed(BaseException):
    """The session's process died, as far as the test is concerned."""


@dataclass
class FakeClock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class FakeWorld:
    """Knobs and log of a fake world; ``world()`` is what a session gets.

    ``faults`` are keyed by (program, shape); ``build_faults`` by program; ``missing`` names absent libraries.
    """

    root: Path
    clock: FakeClock = field(default_factory=FakeClock)
    log: list[tuple[Any, ...]] = field(default_factory=list)
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    build_faults: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    described: dict[str, Any] = field(default_factory=dict)
    call_s: Callable[[Case], float] = lambda case: 1e-4
    version: str = "1.0.0"
    at_hand: bool = False
    before_block: Callable[[], None] = lambda: None
    asked: dict[tuple[str, str, str], int] = field(default_factory=dict)
    pids: Iterator[int] = field(default_factory=itertools.count)
    handed: list[tuple[str, str]] = field(default_factory=list)

    def world(self) -> World:
        repository = Repository("test", self.root / "repository")
        return World(
            cache_root=self.root / "cache",
            lock_path=self.root / "lock",
            find_library=self._find_library,
            build=self._build,
            unbuilt_subject=lambda candidate: self._subject(candidate, compiler=""),
            start_driver=self._start,
            expected=lambda case: Reference(np.zeros(_output_shape(case)), block_id(case.block())),
            is_at_hand=lambda case: self.at_hand,
            verify=_verify,
            platform=lambda: PLATFORM,
            describe=lambda built: self.described,
            conditions=lambda: Conditions(load_1min=0.5),
            choose_cores=lambda threads: tuple(range(threads)),
            repository=lambda name: Repository(name, self.root / name),
            repositories=[repository],
            order_seed=lambda: 7,
            clock=self.clock,
            now=lambda: datetime.fromtimestamp(1_700_000_000 + self.clock(), timezone.utc),
        )

    def points(self, repository: str = "local") -> dict[str, dict[str, Any]]:
        """Read the points on disk: file's path within the experiments -> JSON."""
        folder = self.root / repository / "experiment"
        paths = sorted(folder.glob("*/ckp-*.json"))
        return {str(path.relative_to(folder)): json.loads(path.read_bytes()) for path in paths}

    def logged(self, verb: str) -> list[tuple[Any, ...]]:
        return [entry for entry in self.log if entry[0] == verb]

    def _find_library(self, name: str, spec: str) -> FoundLibrary:
        if name in self.missing:
            raise MissingPartError(f"{name}: not found; install it")
        version = spec.removeprefix(f"{name}-") or self.version
        return FoundLibrary(library=Library(tag=f"{name}-{version}", name=name, version=version))

    def _build(self, candidate: Candidate) -> BuiltProgram:
        self.log.append(("build", candidate.name))
        if candidate.program.uoa in self.build_faults:
            raise BuildError(self.build_faults[candidate.program.uoa])
        nowhere = Path("/nowhere")
        return BuiltProgram(
            driver=nowhere, operator=nowhere, subject=self._subject(candidate, compiler="c++"), env={}, built=False
        )

    def _subject(self, candidate: Candidate, *, compiler: str) -> Subject:
        return Subject(
            program=candidate.program.uoa,
            program_sha="1" * 16,
            driver_sha="2" * 16 if compiler else "",
            library=candidate.library.library,
            compiler=compiler,
            flags=candidate.flags,
        )

    def _start(
        self,
        built: BuiltProgram,
        *,
        cores: Sequence[int],
        threads: int,
        env: Mapping[str, str],
        heap_offset: int,
        timeout_s: float,
        memory_bytes: int = 0,
    ) -> "FakeDriver":
        program = built.subject.program
        self.fault(program, "*", "start")
        driver = FakeDriver(self, program, next(self.pids), threads)
        self.log.append(("start", program, driver.pid, threads, dict(env), heap_offset))
        return driver

    def fault(self, program: str, shape: str, verb: str) -> None:
        count = self.asked.get((program, shape, verb), 0)
        self.asked[program, shape, verb] = count + 1
        if (program, shape) in self.faults:
            self.faults[program, shape](verb, count)


class FakeDriver:
    def __init__(self, fake: FakeWorld, program: str, pid: int, threads: int) -> None:
        self.fake = fake
        self.program = program
        self.pid = pid
        self.threads = threads
        self.cases: dict[int, Case] = {}
        self.calibrated: dict[int, int] = {}
        self.state = "running"
        self.sent: list[tuple[Any, ...]] = []
        self.promised: Ahead | None = None

    def setup(self, key: int, case: Case, output: Path | None = None, *, unless: str = "") -> SetupAnswer:
        self._expect_sent("setup", key, case, output, unless)
        self.cases[key] = case
        hash_, written = self._give_output("setup", key, 0.001, output, unless)
        return SetupAnswer(
            create_s=0.0002,
            prepare_weights_s=0.0003,
            reorder_in_s=0.0001,
            reorder_out_s=0.0001,
            first_run_s=0.0003,
            library_s=0.001,
            implementation="fake",
            native_layouts={"input": "nchw"},
            memory_bytes=1000,
            weights_bytes=100,
            cores=tuple(range(case.threads)),
            hash=hash_,
            written=written,
        )

    def warm_up(self, key: int, *, max_s: float, tolerance: float, block_min_s: float) -> WarmUpAnswer:
        self._expect_sent("warm_up", key, max_s, tolerance, block_min_s)
        call_s = self.fake.call_s(self.cases[key])
        self._do("warm_up", key, 3 * call_s)
        self.calibrated[key] = max(1, round(block_min_s / call_s))
        return WarmUpAnswer(values_s=(call_s,) * 3, settled=True, loops=self.calibrated[key], spent_s=3 * call_s)

    def block(self, key: int, *, loops: int | None) -> BlockAnswer:
        self._expect_sent("block", key, loops)
        loops = self.calibrated[key] if loops is None else loops
        self.fake.before_block()
        call_s = self.fake.call_s(self.cases[key])
        start_s = self.fake.clock()
        self._do("block", key, call_s * (loops + 1), loops)
        return BlockAnswer(
            seconds=call_s * loops,
            loops=loops,
            prime_calls=1,
            prime_s=call_s,
            start_s=start_s,
            involuntary_switches=0,
            minor_faults=0,
            major_faults=0,
            steal_s=0.0,
            core_ghz=3.0,
        )

    def output(self, key: int, path: Path, *, unless: str = "") -> OutputAnswer:
        self._expect_sent("output", key, path, unless)
        call_s = self.fake.call_s(self.cases[key])
        hash_, written = self._give_output("output", key, call_s, path, unless)
        return OutputAnswer(hash=hash_, written=written, library_s=call_s)

    def dump_tensor(self, key: int, role: str, path: Path) -> None:
        dims = find_species(self.cases[key].species).tensors(self.cases[key].parameters)[role]
        np.ones(dims, dtype=np.float32).tofile(path)

    def peak(self, *, threads: int, seconds: float) -> PeakAnswer:
        raise NotImplementedError

    def send(self, ahead: Ahead) -> None:
        assert self.promised in (None, ahead), "another one may have sent something else"
        self.promised = None
        if ahead.then is not None:
            self.fake.handed.append((self.program, ahead.then.path))
        if ahead.set_up is not None:
            self.sent.append(("setup", ahead.key, ahead.set_up.case, ahead.set_up.output, ahead.set_up.unless))
        if ahead.warm_up is not None:
            self.sent.append(("warm_up", ahead.key, *ahead.warm_up.values()))
        if ahead.block:
            self.sent.append(("block", ahead.key, ahead.loops))
        if ahead.output is not None:
            self.sent.append(("output", ahead.key, *ahead.output))

    def hand_over(self, ahead: Ahead) -> HandOver | None:
        assert self.state == "running"
        assert self.promised is None
        assert not ahead.block
        self.promised = ahead
        return HandOver(path=self.program, inode=0, lines="")

    def settle(self) -> None:
        self.sent.clear()

    def _expect_sent(self, *request: Any) -> None:
        """What was sent is done whether it is asked for or not: to ask for something else would do it twice."""
        assert not self.sent or self.sent.pop(0) == request

    def pause(self) -> None:
        self.state = "paused"
        self.fake.log.append(("pause", self.program, self.pid))

    def resume(self) -> None:
        self.state = "running"
        self.fake.log.append(("resume", self.program, self.pid))

    def close(self) -> None:
        self.state = "closed"
        self.fake.log.append(("close", self.program, self.pid))

    def __enter__(self) -> "FakeDriver":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _give_output(self, verb: str, key: int, seconds: float, path: Path | None, unless: str) -> tuple[str, bool]:
        value = 0.0
        try:
            self._do(verb, key, seconds)
        except OtherOutput as other:
            value = other.value
        if path is None:
            return "", False
        hash_ = f"{value!r}"
        if hash_ != unless:
            np.full(_output_shape(self.cases[key]), value, dtype=np.float32).tofile(path)
        return hash_, hash_ != unless

    def _do(self, verb: str, key: int, seconds: float, *more: Any) -> None:
        assert self.state == "running", f"{verb} of a {self.state} driver"
        assert key in self.cases, f"{verb} of a case that is not set up"
        case = self.cases[key]
        shape = find_species(case.species).shape_name(case.parameters)
        self.fake.log.append((verb, self.program, shape, self.pid, *more))
        self.fake.clock.pass_time(seconds)
        try:
            self.fake.fault(self.program, shape, verb)
        except DriverFailure:
            self.sent.clear()
            raise


class OtherOutput(Exception):  # noqa: N818 (a fault that only changes the output)
    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.value = value


class LoggingReporter(SilentReporter):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.events: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def session_resumed(self, plan: Any, cases: int, groups: int, estimated_s: float) -> None:
        self.events.append(f"{cases} left in {groups}")

    def case_done(self, trial: Any, point: Point | None) -> None:
        self.events.append(f"case {trial.name} {point.trust if point else 'unsupported'}")

    def group_done(self, group: Any) -> None:
        self.events.append(f"group {group.number}")


def on(verb: str, error: Exception, *, at: int = 0) -> Fault:
    """Raise ``error`` when a case is asked ``verb`` for the time number ``at``, counted from 0."""

    def fault(asked: str, count: int) -> None:
        if asked == verb and count == at:
            raise error

    return fault


def always(verb: str, error: Exception) -> Fault:
    def fault(asked: str, _count: int) -> None:
        if asked == verb:
            raise error

    return fault


CRASH = DriverCrash("block: the driver was ended by SIGSEGV")
TIMEOUT = DriverTimeout("block: no answer within 60 s, killed")
FAILURE = DriverFailure("create: no memory")
UNSUPPORTED = UnsupportedCase("Winograd needs a 3x3 kernel")


def make_repository(
    root: Path, programs: Mapping[str, tuple[str, str]], datasets: Mapping[str, tuple[str, list[str]]]
) -> None:
    """Write entries: programs as name -> (species, library), datasets as name -> (species, softmax-like shapes)."""
    for name, (species, library) in programs.items():
        nntest = {"species": species, "operator": species, "library": library}
        nntest["target_kind"] = "opencl" if library.endswith("-opencl") else "cpu"
        commands = {"default": {"dataset_tags": ["dataset", "nntest", f"tensor-{species}"]}}
        _entry(root, "program", name, {"tags": ["nntest", library, species], "nntest": nntest, "run_cmds": commands})
    for name, (species, shapes) in datasets.items():
        tags = ["dataset", "nntest", f"tensor-{species}"]
        files = [f"shape-{shape}.json" for shape in shapes]
        folder = _entry(root, "dataset", name, {"tags": tags, "dataset_files": files})
        for shape in shapes:
            values = dict(zip(("CK_IN_SHAPE_C", "CK_IN_SHAPE_H", "CK_IN_SHAPE_W"), shape.split("-"), strict=True))
            (folder / f"shape-{shape}.json").write_text(json.dumps(values))


def _entry(root: Path, module: str, name: str, meta: Mapping[str, Any]) -> Path:
    folder = root / module / name
    (folder / ".cm").mkdir(parents=True)
    (folder / ".cm" / "meta.json").write_text(json.dumps(meta))
    aliases = root / module / ".cm"
    aliases.mkdir(exist_ok=True)
    uid = block_id({"name": name})
    (aliases / f"alias-a-{name}").write_text(uid + "\n")
    (aliases / f"alias-u-{uid}").write_text(name + "\n")
    return folder


def _output_shape(case: Case) -> tuple[int, ...]:
    return find_species(case.species).output_shape(case.parameters, case.batch_size)


def _verify(case: Case, output: Any, reference: Reference, algorithm: str) -> Verification:
    right = output.shape == reference.values.shape and bool(np.all(output == reference.values))
    reason = "" if right else f"output[0] is {output.flat[0]}; expected 0.0"
    return Verification(verified=right, max_error=0.0, limit=1.0, reference=reference.name, reason=reason)
