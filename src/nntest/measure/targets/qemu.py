"""linux-arm64-qemu: programs for 64-bit Arm, cross-compiled here and run under qemu's user emulation.

All of it lies in one folder of the cache: wrappers of compiler and emulator, a sysroot of Debian's arm64 packages, and
``target.json``, which is written last and says what was installed and what the self-tests found.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nntest.errors import MissingPartError
from nntest.measure.compiler import describe_compiler
from nntest.measure.libraries import FoundLibrary, armcl, plain
from nntest.measure.targets.counting import find_counter
from nntest.measure.targets.target import Target
from nntest.model.case import Platform

NAME = "linux-arm64-qemu"
TRIPLET = "aarch64-linux-gnu"
INSTALL = f"nntest target install {NAME}"
# Raised when what an installation holds changes, so that older ones are made again.
FORMAT = 2

# An emulated compiler of OpenCL kernels takes most of a minute for some functions, and tuning tries a dozen of each.
_PATIENCE = 10.0


@dataclass(frozen=True)
class Rooms:
    """The folders of an installation below ``root``."""

    root: Path

    @property
    def tools(self) -> Path:
        """Compiler and emulator, where the system has none."""
        return self.root / "tools"

    @property
    def sysroot(self) -> Path:
        """What runs under the emulator: libraries and headers of arm64."""
        return self.root / "sysroot"

    @property
    def compiler(self) -> Path:
        """Wrapper of the cross compiler for C++."""
        return self.root / "bin" / "aarch64-g++"

    @property
    def emulator(self) -> Path:
        """Wrapper of qemu with its options."""
        return self.root / "bin" / "aarch64-run"

    @property
    def layer(self) -> Path:
        """The OpenCL layer that the emulated programs run through."""
        return self.root / "bin" / "opencl-alter.so"

    @property
    def linker(self) -> Path:
        """Wrapper of the linker, in a folder of its own: the OpenCL compiler looks for a program called ``ld``."""
        return self.root / "ld" / "ld"

    @property
    def loader(self) -> Path:
        """A program for Arm that is always there, and says its version."""
        return self.sysroot / "lib" / "ld-linux-aarch64.so.1"

    @property
    def kernels(self) -> Path:
        """Compiled OpenCL kernels, kept between runs."""
        return self.root / "kernels"

    @property
    def manifest(self) -> Path:
        """The file that is written last."""
        return self.root / "target.json"


def rooms(cache_root: Path) -> Rooms:
    """Return where the target is, or would be."""
    return Rooms(cache_root / "targets" / NAME)


def read_manifest(place: Rooms) -> dict[str, Any] | None:
    """Return what an installation says of itself; None where there is none that this version can use."""
    try:
        found = json.loads(place.manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    usable = isinstance(found, dict) and found.get("format") == FORMAT
    return found if usable and place.compiler.is_file() and place.emulator.is_file() else None


def find(cache_root: Path) -> Target:
    """Return the installed target.

    Raises
    ------
    MissingPartError
        It is not installed.
    """
    place = rooms(cache_root)
    manifest = read_manifest(place)
    if manifest is None:
        raise MissingPartError(f"{NAME}: the target is not installed (looked in {place.root}); run `{INSTALL}`")
    runner, emulator = (str(place.emulator),), str(manifest["emulator"])
    return Target(
        name=NAME,
        compiler=describe_compiler((str(place.compiler),)),
        runner=runner,
        patience=_PATIENCE,
        emulator=emulator,
        find_library=lambda name, spec: find_library(name, spec, place.sysroot, manifest["opencl"]),
        platform=lambda host: emulated(host, manifest),
        counter=lambda: find_counter(runner, place.loader, cache_root / "builds", emulator=emulator),
    )


def find_library(name: str, spec: str, sysroot: Path, opencl: Mapping[str, Any]) -> FoundLibrary:
    """Return a library for the target; those of this machine cannot be linked.

    Parameters
    ----------
    opencl
        What the installation says of its OpenCL: ``env`` (variables by name) and ``layer``, the name of what alters the
        programs, which becomes a part of the library's description.

    Raises
    ------
    MissingPartError
        The target has none of that name, or not in that version.
    """
    if name == plain.NAME:
        return plain.search().found[0]
    if name not in (armcl.NEON, armcl.OPENCL):
        known = f"{plain.NAME}, {armcl.NEON} and {armcl.OPENCL}"
        raise MissingPartError(f"{name}: the target {NAME} has {known}; leave the program out")
    root = spec if "/" in spec else str(sysroot)
    found = next(iter(armcl.search(name, root).found), None)
    if found is None:
        raise MissingPartError(f"{name}: {armcl.TITLE} was not found (looked in {root}); run `{INSTALL}` again")
    library = found.library
    wanted = "" if "/" in spec else spec
    if wanted and not any(fnmatchcase(word, wanted) for word in (library.name, library.version, library.tag)):
        raise MissingPartError(f"{name}: {wanted} was not found (there is {library.tag}); choose that one")
    if name != armcl.OPENCL:
        return found
    description = f"{library.description}; altered by {opencl['layer']}"
    return replace(found, library=replace(library, description=description), env=dict(opencl["env"]))


def emulated(host: Platform, manifest: Mapping[str, Any]) -> Platform:
    """Describe the emulated machine; memory, cores and kernel are the host's."""
    return replace(
        host,
        model="QEMU user emulation",
        cpu=f"QEMU max (aarch64) on {host.cpu}",
        os=str(manifest["os"]),
        arch="aarch64",
        isa=tuple(manifest["isa"]),
        gpu=str(manifest["opencl"]["device"]),
        driver=str(manifest["opencl"]["driver"]),
        target=NAME,
        emulator=str(manifest["emulator"]),
    )
