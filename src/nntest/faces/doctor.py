"""``nntest doctor``: whether this machine is ready to measure, and what to do where it is not."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from nntest import __version__
from nntest.errors import BusyMachineError, MissingPartError, NNTestError
from nntest.faces.columns import columns
from nntest.faces.output import say

Verdict = Literal["ok", "note", "wrong"]
_LOW_DISK_MB = 500


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was looked at, what was found, and what to do (empty where nothing is to do)."""

    subject: str
    verdict: Verdict
    found: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("doctor")(doctor)


def doctor(
    noise: Annotated[
        bool,
        typer.Option("--noise", help="Measure for about two minutes which effect this machine can show today."),
    ] = False,
    share: Annotated[bool, typer.Option("--share", help="With --noise: measure beside another session.")] = False,
) -> int:
    """Check the environment: Python, ck and its face, compiler, libraries, targets, machine, disk."""
    if noise:
        from nntest.faces.noise import noise as measure_noise

        return measure_noise(share=share)
    findings = list(examine())
    rows = [(one.verdict, one.subject, f"{one.found}{'; ' + one.advice if one.advice else ''}") for one in findings]
    for line in columns(("", "what", "found"), rows):
        say(line)
    return 1 if any(one.verdict == "wrong" for one in findings) else 0


def examine() -> Iterator[Finding]:
    """Yield one finding for each part; a part that cannot be examined is itself a finding."""
    for subject, check in _CHECKS:
        yield from _examined(subject, check)


def _examined(subject: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except (NNTestError, OSError) as error:
        yield Finding(subject=subject, verdict="wrong", found=" ".join(str(error).split()))


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    advice = "" if fits else "tested are 3.10 to 3.13; run set-up with NNTEST_PYTHON=/path/to/python3"
    found = f"{version} ({sys.executable}), nntest {__version__}"
    yield Finding(subject="python", verdict="ok" if fits else "note", found=found, advice=advice)


def _packages() -> Iterator[Finding]:
    """Ask set-up itself: a pull may have brought a new dependency."""
    from nntest.faces.install import checkout

    setup = checkout() / "script" / "setup" / "run.sh"
    asked = subprocess.run(["sh", str(setup), "--check"], check=False, capture_output=True, text=True)
    older = asked.returncode != 0
    found = "the environment is older than the checkout, or was made by hand" if older else "as set-up made them"
    advice = f"run `sh {setup}`" if older else ""
    yield Finding(subject="packages", verdict="note" if older else "ok", found=found, advice=advice)


def _checkout() -> Iterator[Finding]:
    from nntest.faces.install import checkout

    yield Finding(subject="checkout", verdict="ok", found=str(checkout()))


def _ck() -> Iterator[Finding]:
    from nntest.faces.install import checkout, face_meta, in_cache, kernel, local_repository, registration

    again = "run `sh script/setup/run.sh`"
    version = kernel().__version__
    yield Finding(
        subject="ck",
        verdict="ok" if version == "2.6.4" else "note",
        found=version,
        advice="" if version == "2.6.4" else "tested is 2.6.4",
    )
    registered, root = registration().path, checkout()
    if registered is not None and registered.resolve() == root.resolve():
        lost = "" if in_cache() else ", but ck's cache has lost it"
        yield Finding(
            subject="ck repository",
            verdict="wrong" if lost else "ok",
            found=f"nntest is {registered}{lost}",
            advice=again if lost else "",
        )
    else:
        found = f"nntest is {registered}, not this checkout" if registered else "this checkout is not registered"
        yield Finding(subject="ck repository", verdict="wrong", found=found, advice=again)
    local = local_repository()
    found_module = kernel().access({"action": "find", "module_uoa": "module", "data_uoa": "nntest"})
    in_force = Path(found_module.get("path", "")) == local / "module" / "nntest"
    if (face_meta(local) or {}).get("face") != "nntest" or not in_force:
        found, advice = "not in force: `ck run nntest:...` would start the module that ck bundles", again
    elif _older_face(local, root):
        found, advice = "in force, but not that of this checkout", again
    else:
        found, advice = f"in force ({local / 'module' / 'nntest'})", ""
    yield Finding(subject="ck face", verdict="wrong" if advice else "ok", found=found, advice=advice)


def _older_face(local: Path, root: Path) -> bool:
    inside = Path("module") / "nntest" / "module.py"
    return (local / inside).read_bytes() != (root / inside).read_bytes()


def _repositories() -> Iterator[Finding]:
    from nntest.store.repository import damaged_registrations, known_repositories

    for repository in known_repositories():
        yield Finding(subject="repository", verdict="ok", found=f"{repository.name}: {repository.path}")
    for line in damaged_registrations():
        yield Finding(subject="repository", verdict="wrong", found=line)


def _compiler() -> Iterator[Finding]:
    from nntest.measure.compiler import find_compiler

    yield Finding(subject="compiler", verdict="ok", found=find_compiler().description)


def _libraries() -> Iterator[Finding]:
    from nntest.measure.libraries import LIBRARY_NAMES, find_libraries, find_library

    usable = find_libraries()
    for found in usable:
        yield Finding(subject="library", verdict="ok", found=found.library.tag)
    for name in LIBRARY_NAMES:
        if name not in {found.library.name for found in usable}:
            try:
                find_library(name)
            except MissingPartError as error:
                # none of them is needed, but its programs are left out without it
                yield Finding(subject="library", verdict="note", found=str(error))


def _targets() -> Iterator[Finding]:
    from nntest.measure.targets import qemu
    from nntest.measure.world import cache_root

    manifest = qemu.read_manifest(qemu.rooms(cache_root()))
    if manifest is None:
        # measuring on this machine needs none
        found, advice = f"{qemu.NAME} is not installed", f"64-bit Arm without a board: `{qemu.INSTALL}`"
        yield Finding(subject="target", verdict="note", found=found, advice=advice)
        return
    opencl = manifest["opencl"]
    found = f"{qemu.NAME}: {manifest['emulator']}, OpenCL device {opencl['device']} of {opencl['driver']}"
    yield Finding(subject="target", verdict="ok", found=found)


def _opencl() -> Iterator[Finding]:
    from nntest.measure.libraries import clblast

    drivers = clblast.find_drivers()
    if drivers:
        yield Finding(subject="opencl", verdict="ok", found=f"drivers: {', '.join(drivers)}")
    else:
        # none is needed, but programs on OpenCL devices are left out without one
        advice = f"for programs on OpenCL devices install one, such as `{clblast.INSTALL_DEVICE}`"
        yield Finding(
            subject="opencl", verdict="note", found="no driver was found in /etc/OpenCL/vendors", advice=advice
        )


def _ssh() -> Iterator[Finding]:
    if shutil.which("ssh"):
        yield Finding(subject="ssh", verdict="ok", found="boards can be reached with --target=ssh:user@board")
    else:
        advice = "for boards over ssh install it with `apt install openssh-client`"
        yield Finding(subject="ssh", verdict="note", found="it was not found", advice=advice)


def _machine() -> Iterator[Finding]:
    from nntest.measure.machine import conditions

    now, cores = conditions(), sorted(os.sched_getaffinity(0))
    yield Finding(subject="cores", verdict="ok", found=f"{len(cores)} of {os.cpu_count()} may be used")
    if now.governor is None:
        yield Finding(subject="governor", verdict="note", found="cannot be read here (a virtual machine?)")
    else:
        steady = now.governor == "performance"
        advice = "" if steady else "the clock may change while measuring; `cpupower frequency-set -g performance`"
        yield Finding(subject="governor", verdict="ok" if steady else "note", found=now.governor, advice=advice)
    if now.load_1min is not None:
        busy = now.load_1min > 0.5 * len(cores)
        advice = "something else is running; measure when it has ended" if busy else ""
        yield Finding(subject="load", verdict="note" if busy else "ok", found=f"{now.load_1min:.2f}", advice=advice)


def _energy() -> Iterator[Finding]:
    from nntest.measure.energy import IDLE_S, TIER, open_counters

    counters = open_counters()
    if counters.reason:
        # most machines have none to show; points say NA
        yield Finding(subject="energy", verdict="note", found=f"NA, {counters.reason}")
        return
    kinds = ", ".join(dict.fromkeys(counter.domain for counter in counters.counters))
    found = f"{TIER}; counters of {kinds}; a session first looks at the idle machine for {IDLE_S:g} s"
    yield Finding(subject="energy", verdict="ok", found=found)


def _lock() -> Iterator[Finding]:
    from datetime import datetime

    from nntest.measure.lock import machine_lock, machine_lock_path

    try:
        with machine_lock(machine_lock_path(), now=datetime.now()):
            yield Finding(subject="lock", verdict="ok", found="no session is measuring")
    except BusyMachineError as error:
        yield Finding(subject="lock", verdict="note", found=str(error))


def _disk() -> Iterator[Finding]:
    from nntest.measure.world import cache_root
    from nntest.store.repository import local_path

    for subject, folder in (("cache", cache_root()), ("points", local_path())):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free_mb = shutil.disk_usage(there).free / 1e6
        writable = os.access(there, os.W_OK)
        enough = writable and free_mb >= _LOW_DISK_MB
        advice = "" if enough else "cannot be written" if not writable else "free some space"
        found = f"{folder}, {free_mb:,.0f} MB free"
        yield Finding(subject=subject, verdict="ok" if enough else "wrong", found=found, advice=advice)


_CHECKS: Sequence[tuple[str, Callable[[], Iterator[Finding]]]] = (
    ("python", _python),
    ("checkout", _checkout),
    ("packages", _packages),
    ("ck", _ck),
    ("repository", _repositories),
    ("compiler", _compiler),
    ("library", _libraries),
    ("opencl", _opencl),
    ("ssh", _ssh),
    ("target", _targets),
    ("machine", _machine),
    ("energy", _energy),
    ("lock", _lock),
    ("disk", _disk),
)
