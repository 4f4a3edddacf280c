"""What a target is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nntest.measure.compiler import Compiler
from nntest.measure.libraries import FoundLibrary, find_library
from nntest.measure.targets.counting import Counter
from nntest.model.case import Platform


def _unchanged(platform: Platform) -> Platform:
    return platform


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where programs are built for, and how they run.

    Attributes
    ----------
    name
        As ``--target`` takes it.
    compiler
        What programs and the driver are built with; None: this machine's.
    runner
        Command in front of the driver; empty where it runs by itself.
    env
        Variables that the runner needs; those of library and case win.
    patience
        How many times longer than natively a request to a driver may take: the factor of ``--timeout``.
    emulator
        Name and version of what executes the programs; empty on real hardware.
    find_library
        Finds a library (name, version or tag or path) for this target.
    platform
        Turns the description of this machine into that of the target.
    counter
        Makes what counts the instructions of programs ready; None where nothing can.
    """

    name: str
    compiler: Compiler | None = None
    runner: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    patience: float = 1.0
    emulator: str = ""
    find_library: Callable[[str, str], FoundLibrary] = find_library
    platform: Callable[[Platform], Platform] = _unchanged
    counter: Callable[[], Counter] | None = None
