"""``nntest peak``: what this machine can do, as rows of a hardware table that rooflines are drawn from."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.errors import UsageError
from nntest.faces.output import say

if TYPE_CHECKING:
    from nntest.measure.build import BuiltProgram
    from nntest.measure.world import World

#: The driver measures by itself; it wants some operator to be loaded, and this one needs a compiler only.
_PROGRAM = "softmax-plain-cpu"
_TIMEOUT_S = 120.0


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("peak")(peak)


def peak(
    threads: Annotated[
        str, typer.Option("--threads", help="Numbers of threads (comma list); else 1 and all cores.")
    ] = "",
    seconds: Annotated[float, typer.Option("--seconds", help="For each number, about.")] = 0.2,
    repo: Annotated[str, typer.Option("--repo", help="CK repository that takes the rows.")] = "local",
    no_record: Annotated[bool, typer.Option("--no-record", help="Measure and print, record nothing.")] = False,
    share: Annotated[bool, typer.Option("--share", help="Measure beside another session.")] = False,
) -> int:
    """Measure this machine: multiply-adds by datatype and threads, bandwidth of each cache and of the memory."""
    from nntest.measure.driver import DriverProcess
    from nntest.measure.lock import machine_lock
    from nntest.measure.peak import Measured, cache_levels, measure_machine
    from nntest.measure.world import real_world
    from nntest.store.repository import resolve_repository
    from nntest.store.theory import save_hardware

    if not 0 < seconds <= 60:
        raise UsageError(f"seconds: {seconds} was given; expected a number above 0, at most 60")
    world = real_world()
    counts = _counts(threads)
    repository = None if no_record else resolve_repository(repo)
    built, platform = _built(world), world.platform()
    now = world.now()
    rows = []

    def tell(found: Measured) -> None:
        say(f"{found.what:9} x {found.threads:<3} {found.value:>18}  {found.remark}")

    with machine_lock(world.lock_path, now=now, share=share):
        for count in counts:
            with DriverProcess.start(
                built, cores=world.choose_cores(count), threads=count, env={}, heap_offset=0, timeout_s=_TIMEOUT_S
            ) as driver:
                rows += measure_machine(
                    driver,
                    platform=platform,
                    threads=count,
                    levels=cache_levels(),
                    seconds=seconds,
                    date=f"{now:%Y-%m-%d}",
                    report=tell,
                )
    if repository is not None:
        say(f"recorded in {save_hardware(repository, rows, machine=platform.id)}")
    return 0


def _built(world: "World") -> "BuiltProgram":
    from nntest.measure.build import build
    from nntest.store.entries import ProgramEntry, get_entry

    entry = get_entry("program", _PROGRAM)
    assert isinstance(entry, ProgramEntry)
    return build(entry, world.find_library(entry.library, ""), cache_root=world.cache_root / "builds")


def _counts(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise UsageError(f"threads: {text!r} was given; expected positive integers such as 1,2,4")
    return [int(word) for word in words] or sorted({1, len(os.sched_getaffinity(0))})
