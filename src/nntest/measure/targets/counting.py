"""Instruction counts of emulated programs, by a small plugin of ours for qemu (native/plugins/count_instructions.cpp).

A count is a cost that comes out (nearly) alike every time, whatever else the machine does. It is no time: an
instruction may take a tenth of a cycle or hundreds of them.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nntest.errors import MissingPartError
from nntest.measure.build import BuiltProgram, build_plugin

#: Tells the driver that there is somebody to ask.
COUNT_KEY = "NNTEST_COUNT_INSTRUCTIONS"

_PLUGIN = "count_instructions"
# Raised when what is counted changes.
_VERSION = 1
# Versions of qemu's interface for plugins, in all of which what the plugin uses is alike: up to 8.2, and since 9.0.
_APIS = (1, 2)
_PROBE_S = 60


@dataclass(frozen=True)
class Counter:
    """What counts: its name, as points have it, and the options of the emulator that switch it on."""

    name: str
    options: tuple[str, ...]


def find_counter(
    runner: tuple[str, ...],
    probe: Path,
    cache_root: Path,
    *,
    emulator: str,
    build: Callable[[int], Path] | None = None,
) -> Counter:
    """Compile the plugin for the version of the interface that an emulator has, and try it.

    Parameters
    ----------
    runner
        Command of the emulator.
    probe
        A program of the emulated architecture that answers to ``--version``.
    cache_root
        Folder of all builds.
    emulator
        Name and version of the emulator, for the message.
    build
        Compiles the plugin for a version of the interface; another one in tests.

    Raises
    ------
    MissingPartError
        The emulator takes no plugins, or none of a version that is known here; or there is no compiler.
    BuildError
        The plugin did not compile.
    """
    build = build or (lambda api: build_plugin(_PLUGIN, api=api, cache_root=cache_root))
    reason = ""
    for api in _APIS:
        # qemu takes a comma for the beginning of the next option, and two for one
        options = ("-plugin", f"file={str(build(api)).replace(',', ',,')}")
        said = _refusal([*runner, *options, str(probe), "--version"])
        if not said:
            return Counter(name=f"nntest-count {_VERSION} (plugin of {emulator}, interface {api})", options=options)
        reason = reason or said
    raise MissingPartError(
        f"instructions: {emulator} takes no plugin of ours: {reason}; leave the option out, or "
        "remove the system's qemu and install the target again: it then fetches one that does"
    )


def counted_by(find: Callable[[], Counter]) -> Callable[[BuiltProgram], BuiltProgram]:
    """Return what turns a program into one whose instructions are counted."""

    def counted(built: BuiltProgram) -> BuiltProgram:
        counter = find()
        env = {**built.env, COUNT_KEY: "yes"}
        return replace(built, env=env, runner=(*built.runner, *counter.options), counter=counter.name)

    return counted


def _refusal(command: list[str]) -> str:
    """Return why an emulator does not run a program under a plugin; empty where it does."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return " ".join(str(error).split())
    if answer.returncode == 0:
        return ""
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    return lines[0] if lines else f"exit code {answer.returncode}"
