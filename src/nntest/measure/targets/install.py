"""Making the target linux-arm64-qemu: packages, wrappers, self-test."""

import json
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from nntest.errors import NNTestError, UsageError
from nntest.measure.build import NATIVE
from nntest.measure.targets.packages import MIRROR, RELEASE_TITLE, Packages
from nntest.measure.targets.qemu import FORMAT, NAME, TRIPLET, Rooms, read_manifest, rooms

# Names carry the versions of the release that they come from (packages.RELEASE).
SYSROOT_PACKAGES = (
    *("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libzstd1"),
    *("libarm-compute20", "libarm-compute-dev"),
    *("ocl-icd-libopencl1", "ocl-icd-opencl-dev", "opencl-c-headers", "opencl-clhpp-headers"),
    *("pocl-opencl-icd", "libpocl2", "libpocl2-common", "libclang-cpp15", "libllvm15", "libhwloc15", "libudev1"),
    *("libxml2", "libicu72", "liblzma5", "libedit2", "libtinfo6", "libbsd0", "libmd0", "libffi8", "libz3-4"),
)
COMPILER_PACKAGES = (
    *("gcc-12-aarch64-linux-gnu", "g++-12-aarch64-linux-gnu", "cpp-12-aarch64-linux-gnu"),
    *("gcc-aarch64-linux-gnu", "g++-aarch64-linux-gnu", "binutils-aarch64-linux-gnu", "libbinutils", "libjansson4"),
    *("libgmp10", "libisl23", "libmpfr6", "libmpc3", "libzstd1", "zlib1g"),
    *("libc6-arm64-cross", "libc6-dev-arm64-cross", "linux-libc-dev-arm64-cross", "libgcc-s1-arm64-cross"),
    *("libgcc-12-dev-arm64-cross", "libstdc++6-arm64-cross", "libstdc++-12-dev-arm64-cross"),
    *("libatomic1-arm64-cross", "libgomp1-arm64-cross"),
)
EMULATOR_PACKAGES = (
    *("qemu-user", "libcapstone4", "libglib2.0-0", "libpcre2-8-0", "libgnutls30", "libnettle8", "libhogweed6"),
    *("libgmp10", "libunistring2", "libidn2-0", "libp11-kit0", "libtasn1-6", "libffi8", "libnuma1", "liburing2"),
    "zlib1g",
)

_SELF_TEST_S = 300
_KEPT_FREE_MB = 200


def install(
    cache_root: Path,
    *,
    say: Callable[[str], None],
    mirror: str = MIRROR,
    dry_run: bool = False,
    which: Callable[[str], str | None] = shutil.which,
) -> None:
    """Install the target, or say that it is there; an interrupted installation is taken up where it ended.

    Parameters
    ----------
    say
        Takes one line about what is going on; the size comes first.
    mirror
        Address of Debian's packages.
    dry_run
        Say the size and stop.
    which
        Finds a program of the system; another one in tests.

    Raises
    ------
    UsageError
        This machine needs no such target, or cannot have it.
    MissingPartError
        The system has no package tools.
    NNTestError
        No network, no room, or a self-test failed.
    """
    if platform.machine() != "x86_64":
        raise UsageError(
            f"{NAME}: this machine is {platform.machine()}; the target is for x86_64; "
            "on a 64-bit Arm machine programs run natively, without --target"
        )
    place = rooms(cache_root)
    if read_manifest(place) is not None:
        say(f"{NAME}: installed already in {place.root}; `nntest target remove {NAME}` removes it")
        return
    compiler, emulator = which(f"{TRIPLET}-g++"), which("qemu-aarch64")
    tools = (*(() if compiler else COMPILER_PACKAGES), *(() if emulator else EMULATOR_PACKAGES))
    sets = [Packages(place.root / "apt-arm64", "arm64", SYSROOT_PACKAGES, mirror=mirror)]
    if tools:
        sets.append(Packages(place.root / "apt-amd64", "amd64", sorted(set(tools)), mirror=mirror))
    _say_size(place, sets, say)
    if dry_run:
        return
    unpacked: list[str] = []
    for packages, folder in zip(sets, (place.sysroot, place.tools), strict=False):
        say(f"fetching and unpacking {folder.name}")
        packages.fetch()
        unpacked += packages.unpack(folder)
    write_wrappers(place, compiler=compiler, emulator=emulator)
    say("self-test: vectors, threads and the C library")
    isa = neon_self_test(place)
    say("self-test: OpenCL compiles and runs a kernel")
    environment = opencl_environment(place)
    device, driver, layer = opencl_self_test(place, environment)
    manifest = {
        "format": FORMAT,
        "emulator": emulator_version(place),
        "os": f"{RELEASE_TITLE}, arm64 packages",
        "isa": isa,
        "opencl": {"device": device, "driver": driver, "layer": layer, "env": environment},
        "packages": unpacked,
    }
    temporary = place.manifest.with_suffix(".new")
    temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    temporary.replace(place.manifest)
    for name in ("apt-arm64", "apt-amd64"):
        shutil.rmtree(place.root / name, ignore_errors=True)
    say(f"{NAME}: installed; {manifest['emulator']}; `nntest run conv-armcl-opencl --target={NAME} ...` uses it")


def remove(cache_root: Path, *, say: Callable[[str], None]) -> None:
    """Remove the target's folder."""
    place = rooms(cache_root)
    there = place.root.exists()
    shutil.rmtree(place.root, ignore_errors=True)
    say(f"{NAME}: removed {place.root}" if there else f"{NAME}: not installed; nothing to remove")


def write_wrappers(place: Rooms, *, compiler: str | None, emulator: str | None) -> None:
    """Write the commands that compile and run; the system's tools where it has them, else those of the packages."""
    libraries = f"LD_LIBRARY_PATH={shlex.quote(str(place.tools / 'usr/lib/x86_64-linux-gnu'))} "
    programs = place.tools / "usr" / "bin"
    compile_ = (
        f"exec {shlex.quote(compiler)}"
        if compiler
        else f"{libraries}exec {shlex.quote(str(programs / f'{TRIPLET}-g++'))} "
        f"--sysroot={shlex.quote(str(place.tools))}"
    )
    run = (
        f"exec {shlex.quote(emulator)}"
        if emulator
        else f"{libraries}exec {shlex.quote(str(programs / 'qemu-aarch64'))}"
    )
    # the host's library path would be searched for the guest's libraries too
    run += f" -cpu max -U LD_LIBRARY_PATH -L {shlex.quote(str(place.sysroot))}"
    link = (
        f"exec {TRIPLET}-ld"
        if compiler
        else f"{libraries}exec {shlex.quote(str(programs / f'{TRIPLET}-ld'))} --sysroot={shlex.quote(str(place.tools))}"
    )
    for path, command in ((place.compiler, compile_), (place.emulator, run), (place.linker, link)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\n{command} "$@"\n')
        path.chmod(0o755)


def neon_self_test(place: Rooms) -> list[str]:
    """Compile and run a small program; return the vector extensions of the emulated processor.

    Raises
    ------
    NNTestError
        It does not compile, or its result is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "neon"
        source = NATIVE / "self_test" / "neon.cpp"
        _checked("compiling", [str(place.compiler), "-std=c++17", "-O2", "-pthread", str(source), "-o", str(program)])
        return _checked("running", [str(place.emulator), str(program)]).split()


def opencl_environment(place: Rooms) -> dict[str, str]:
    """Compile the layer; return the variables that make emulated programs find PoCL and a linker for its kernels.

    Raises
    ------
    NNTestError
        It does not compile, or there is no PoCL.
    """
    headers = f"-I{place.sysroot / 'usr/include'}"
    source = NATIVE / "opencl_alter.c"
    compile_ = [str(place.compiler), "-x", "c", "-std=c11", "-O2", "-shared", "-fPIC", headers]
    _checked("compiling the OpenCL layer", [*compile_, str(source), "-o", str(place.layer)])
    found = [
        _checked("asking the compiler", [str(place.compiler), f"-print-file-name={name}"]).strip()
        for name in ("libgcc.a", "libc.so")
    ]
    place.kernels.mkdir(exist_ok=True)
    drivers = sorted((place.sysroot / "usr/lib" / TRIPLET).glob("libpocl.so.*.*.*"))
    if not drivers:
        raise NNTestError(f"{place.sysroot}: it has no PoCL; run `nntest target remove {NAME}` and install it again")
    return {
        "OPENCL_LAYERS": str(place.layer),
        # an absolute path: PoCL looks for its library of kernels beside itself
        "OCL_ICD_VENDORS": str(drivers[0]),
        "LIBRARY_PATH": ":".join(str(Path(path).resolve().parent) for path in found),
        "COMPILER_PATH": str(place.linker.parent),
        # newer instructions of the emulated processor end its code in an illegal one
        "POCL_LLVM_CPU_NAME": "cortex-a72",
        "POCL_CACHE_DIR": str(place.kernels),
    }


def opencl_self_test(place: Rooms, environment: Mapping[str, str]) -> tuple[str, str, str]:
    """Compile and run a kernel; return names of the device, of its driver, and of the layer that alters programs.

    Raises
    ------
    NNTestError
        It does not compile, or its result is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "opencl"
        source = NATIVE / "self_test" / "opencl.c"
        root = place.sysroot / "usr"
        command = [str(place.compiler), "-x", "c", "-std=c11", "-O2", f"-I{root / 'include'}", str(source)]
        command += ["-x", "none", str(root / "lib" / TRIPLET / "libOpenCL.so"), "-ldl", "-o", str(program)]
        _checked("compiling for OpenCL", command)
        answer = _checked("running an OpenCL kernel", [str(place.emulator), str(program)], environment)
    device, driver, layer = answer.splitlines()
    return device, driver, layer


def emulator_version(place: Rooms) -> str:
    """Return name and version of the emulator: ``qemu-aarch64 7.2.22``."""
    first = _checked("starting", [str(place.emulator), "--version"]).partition("\n")[0]
    return first.partition(" (")[0].replace(" version ", " ")


def _say_size(place: Rooms, sets: Sequence[Packages], say: Callable[[str], None]) -> None:
    place.root.mkdir(parents=True, exist_ok=True)
    for packages in sets:
        packages.refresh()
    download_mb = sum(packages.download_mb() for packages in sets)
    unpacked_mb = sum(packages.unpacked_mb() for packages in sets)
    say(f"{NAME}: {download_mb:.0f} MB to download, {unpacked_mb:.0f} MB on disk, into {place.root}")
    needed_mb = download_mb + unpacked_mb + _KEPT_FREE_MB
    free_mb = shutil.disk_usage(place.root).free / 1e6
    if free_mb < needed_mb:
        raise NNTestError(f"{place.root}: {free_mb:.0f} MB are free; expected {needed_mb:.0f} MB; free some space")


def _checked(what: str, command: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})) -> str:
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SELF_TEST_S,
            check=False,
            env={**os.environ, **environment},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NNTestError(f"{NAME}: the self-test failed while {what}: {' '.join(str(error).split())}") from error
    if answer.returncode != 0:
        lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
        reason = lines[0] if lines else f"exit code {answer.returncode}"
        raise NNTestError(
            f"{NAME}: the self-test failed while {what}: {reason}; "
            f"run `nntest target remove {NAME}` and install it again"
        )
    return answer.stdout
