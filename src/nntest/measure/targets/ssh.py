"""ssh:user@board: programs built here, copied to a board and run there; samples and outputs come back.

A board of this machine's architecture takes this machine's builds and libraries; a 64-bit Arm board takes what the
target linux-arm64-qemu cross-compiles. Only what a point needs to know of the board is read off it.
"""

import os
import platform
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nntest.errors import MissingPartError, NNTestError
from nntest.measure import machine
from nntest.measure.build import BuiltProgram, build
from nntest.measure.energy import ELSEWHERE
from nntest.measure.libraries import FoundLibrary
from nntest.measure.targets import qemu
from nntest.measure.targets.connection import Address, Connection
from nntest.measure.targets.remote_driver import RemoteDriver
from nntest.measure.targets.target import Target
from nntest.model.case import Platform

if TYPE_CHECKING:
    from nntest.measure.trial import Candidate
    from nntest.measure.world import World

#: What points call a target of this kind: neither user nor host is in them.
NAME = "ssh"

_FOLDER = ".cache/nntest/board"
_MARK = "==nntest=="
_FILES = (
    *("/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/os-release", "/proc/cpuinfo", "/proc/meminfo"),
    *("/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name", "/proc/device-tree/model"),
)
_CHANGING = (
    *("/proc/loadavg", "/proc/self/status", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    *("/sys/class/thermal/thermal_zone*/temp", "/sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list"),
)
# Devices' names end in NULs; a file that cannot be read is left out.
_READ = f"""for pattern in "$@"; do for file in $pattern; do
if [ -r "$file" ]; then printf '{_MARK} %s\\n' "$file"; tr -d '\\000' < "$file" 2>/dev/null; printf '\\n'; fi
done; done"""
_VARIABLES_OF_FILES = ("OPENCL_LAYERS", "NNTEST_PROFILE_LAYER")


@dataclass(eq=False)
class Board:
    """A board behind a connection; what is read off it is read once."""

    connection: Connection
    cache_root: Path
    _copies: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="nntest-board-"))

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self._copies, ignore_errors=True)

    @cached_property
    def facts(self) -> tuple[str, str, str, str]:
        """System, release and architecture, and the home folder."""
        words = self.connection.run(["sh", "-c", "uname -s; uname -r; uname -m; cd; pwd"]).decode().splitlines()
        if len(words) != 4 or not words[3].startswith("/"):
            raise NNTestError(f"{self.connection.name}: it answers in an unknown way; expected a Linux system with sh")
        return words[0], words[1], words[2], words[3]

    @property
    def folder(self) -> str:
        """Our folder on the board, as a whole path."""
        return f"{self.facts[3]}/{_FOLDER}"

    def read(self, patterns: Sequence[str]) -> Path:
        """Copy small files of the board below a folder of ours, and return that."""
        root = Path(self._copies)
        text = self.connection.run(["sh", "-c", _READ, "read", *patterns]).decode(errors="replace")
        for part in text.split(f"{_MARK} ")[1:]:
            name, _, content = part.partition("\n")
            place = root / name.lstrip("/")
            if ".." not in place.parts:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(content)
        return root

    def platform(self) -> Platform:
        """Describe the board."""
        system, release, arch, _ = self.facts
        root = self.read([*_FILES, *_CHANGING])
        count = self.connection.run(["sh", "-c", "nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo"]).strip()
        found = machine.identify_files(
            root,
            cores=int(count) if count.isdigit() else 1,
            kernel=f"{system} {release}",
            arch=arch,
            fallback_id=self.connection.name,
        )
        return replace(found, target=NAME)

    def conditions(self) -> machine.Conditions:
        """Read the board's state now."""
        return machine.conditions(root=self.read(_CHANGING))

    def choose_cores(self, threads: int) -> tuple[int, ...]:
        """Return cores of the board to pin threads to, as `machine.choose_cores` does."""
        root = self.read(_CHANGING)
        return machine.choose_cores(threads, available=_allowed(root / "proc/self/status"), root=root)

    def prepared(self, built: BuiltProgram) -> BuiltProgram:
        """Copy a program, its driver and its libraries to the board; return it with their paths there."""
        there = {file: f"{self.folder}/{file.parent.name}/{file.name}" for file in (built.driver, built.operator)}
        env = dict(built.env)
        for key in _VARIABLES_OF_FILES:
            files = [Path(item) for item in env.get(key, "").split(":") if item]
            there |= {file: f"{self.folder}/{file.parent.name}/{file.name}" for file in files}
            if files:
                env[key] = ":".join(there[file] for file in files)
        for key, name in (("POCL_CACHE_DIR", "kernels"), ("NNTEST_TUNED", "tuned")):
            if key in env:
                env[key] = f"{self.folder}/{name}"
                self.connection.run(["mkdir", "-p", env[key]])
        libraries = f"{self.folder}/{built.subject.library.tag}-{built.subject.library.build}"
        for file in built.libraries:
            there |= {alias: f"{libraries}/{alias.name}" for alias in _aliases(file)}
        if built.libraries:
            env["LD_LIBRARY_PATH"] = libraries
        for here, place in there.items():
            self.connection.put(here, place)
        return replace(built, driver=Path(there[built.driver]), operator=Path(there[built.operator]), env=env)

    def start_driver(
        self,
        built: BuiltProgram,
        *,
        cores: Sequence[int],
        threads: int,
        env: Mapping[str, str],
        heap_offset: int,
        timeout_s: float,
        memory_bytes: int = 0,
    ) -> RemoteDriver:
        """Start a program that `prepared` has put there."""
        return RemoteDriver.start_on(
            self.connection,
            built,
            folder=self.folder,
            cores=cores,
            threads=threads,
            env=env,
            heap_offset=heap_offset,
            timeout_s=timeout_s,
            memory_bytes=memory_bytes,
        )

    def describe(self, built: BuiltProgram) -> Mapping[str, Any]:
        """Ask a program what it says of itself."""
        with self.start_driver(built, cores=(), threads=1, env={}, heap_offset=0, timeout_s=60.0) as driver:
            return driver.describe

    def builder(self) -> Target:
        """Return what programs for the board are built with.

        Raises
        ------
        MissingPartError
            There is no compiler or no library for its architecture.
        """
        arch = self.facts[2]
        if arch == platform.machine():
            return Target(name=NAME)
        if arch == "aarch64":
            return qemu.find(self.cache_root)
        raise MissingPartError(
            f"{self.connection.name}: the board is {arch}; expected {platform.machine()} or aarch64, for which "
            "programs can be built here; install nntest on the board and measure there"
        )


def world_on_board(target: str, here: "World", environ: Mapping[str, str] = os.environ) -> "World":
    """Return the world of a board: built here, copied and run there; caches, references and points are here.

    Raises
    ------
    UsageError, MissingPartError, ConnectionLostError
        It is no address, there is no ssh or nothing to build with, or the board cannot be reached.
    """
    root = here.cache_root
    board = Board(Connection(Address.parse(target), environ), root)
    builder = board.builder()

    def build_for(candidate: "Candidate") -> BuiltProgram:
        require_portable(candidate.library)
        built = build(
            candidate.program,
            candidate.library,
            flags=candidate.flags,
            cache_root=root / "builds",
            compiler=builder.compiler,
        )
        return replace(built, libraries=candidate.library.link_files)

    def start(built: BuiltProgram, **options: Any) -> RemoteDriver:
        return board.start_driver(_once(board, built, there), **options)

    there: dict[int, tuple[BuiltProgram, BuiltProgram]] = {}
    return replace(
        here,
        find_library=builder.find_library,
        build=build_for,
        start_driver=start,
        describe=lambda built: board.describe(_once(board, built, there)),
        platform=board.platform,
        conditions=board.conditions,
        choose_cores=board.choose_cores,
        energy=lambda: ELSEWHERE,
    )


def require_portable(library: FoundLibrary) -> None:
    """Refuse a library whose programs run inside a Python process: no interpreter is carried to a board.

    Raises
    ------
    MissingPartError
        It is such a library.
    """
    if library.python:
        raise MissingPartError(
            f"{library.library.name}: its programs run inside Python, which is not copied to a board; "
            "install nntest on the board and measure there"
        )


def _once(board: Board, built: BuiltProgram, there: dict[int, tuple[BuiltProgram, BuiltProgram]]) -> BuiltProgram:
    """Return a program as it is on the board; it is copied when it is first needed."""
    known = there.get(id(built))
    if known is None or known[0] is not built:
        known = there[id(built)] = (built, board.prepared(built))
    return known[1]


def _aliases(file: Path) -> list[Path]:
    """Return the names beside a library that mean the same file: it may be asked for by any of them."""
    real = file.resolve()
    stem = file.name.partition(".so")[0]
    names = [path for path in sorted(file.parent.glob(f"{stem}.so*")) if path.resolve() == real]
    return names or [file]


def _allowed(status: Path) -> list[int]:
    """Return the cores that the board's processes may use, off a copy of /proc/self/status."""
    for line in status.read_text(errors="replace").splitlines() if status.is_file() else ():
        if line.startswith("Cpus_allowed_list:"):
            ranges = [item.partition("-") for item in line.partition(":")[2].strip().split(",")]
            return [core for low, _, high in ranges for core in range(int(low), int(high or low) + 1)]
    return [0]
