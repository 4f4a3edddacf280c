"""Programs and the driver, built into a content-addressed cache.

What a build depends on (sources, the headers they include, library, compiler, flags) gives its folder's name, so that
nothing is ever rebuilt in place: a folder is complete as soon as it exists. Builders that meet do the work twice and
agree on one.
"""

import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nntest.errors import BuildError, DataError
from nntest.measure.compiler import Compiler, find_compiler
from nntest.measure.includes import included
from nntest.measure.libraries import FoundLibrary
from nntest.model.case import Subject
from nntest.model.ids import block_id

NATIVE = Path(__file__).parent.parent / "native"
HOSTED = Path(__file__).parent / "hosted"

DRIVER_NAME = "nntest-driver"
HOSTED_DRIVER_NAME = "nntest-driver.so"
OPERATOR_NAME = "operator.so"
LAYER_NAME = "layer.so"
PLUGIN_NAME = "plugin.so"

_COMMON_FLAGS = ("-std=c++17", "-Wall", "-Wextra")
_DRIVER_FLAGS = (*_COMMON_FLAGS, "-O3", "-pthread")
_HOSTED_FLAGS = ("-shared", "-fPIC")
# Functions begin at cache lines: else a change anywhere in the file moves the loops of a kernel across them, which was
# seen to make the same machine code 12 % faster (Mytkowicz et al. 2009, ASPLOS: producing wrong data without ...).
_OPERATOR_FLAGS = (*_COMMON_FLAGS, "-O3", "-falign-functions=64", "-shared", "-fPIC", "-fvisibility=hidden")
_COMPILE_TIMEOUT_S = 600
_ERROR_LINES = 3
_FOLDERS = re.compile(r"(?<![\w./-])/(?:[\w.+~@%=-]+/)+")


class ProgramSource(Protocol):
    """What building needs to know of a program entry."""

    @property
    def uoa(self) -> str:
        """Name of the entry."""

    @property
    def path(self) -> Path:
        """Folder of the entry."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """The entry's meta; ``source_files`` lists what is compiled."""


@dataclass(frozen=True, kw_only=True)
class BuiltProgram:
    """A program ready to run; ``built`` says that something was compiled just now.

    ``libraries`` are files that have to go where the program goes, where that is another machine. ``profiler`` names
    who keeps account of its kernels (see `nntest.measure.profiling`), empty where nobody does. ``runner`` stands in
    front of the driver's command: the emulator of a target (``emulated``), or the Python process that hosts it; mostly
    empty. ``counter`` names what counts its instructions, empty where nothing does.
    """

    driver: Path
    operator: Path
    subject: Subject
    env: Mapping[str, str]
    built: bool
    runner: tuple[str, ...] = ()
    emulated: bool = False
    profiler: str = ""
    counter: str = ""
    libraries: tuple[Path, ...] = ()


def build(
    program: ProgramSource,
    library: FoundLibrary,
    *,
    flags: str = "",
    cache_root: Path,
    compiler: Compiler | None = None,
) -> BuiltProgram:
    """Compile a program and the driver, or find them in the cache.

    Parameters
    ----------
    flags
        Additional compiler flags of the program, as one would type them.
    cache_root
        Folder of all builds; made when absent.
    compiler
        By default what ``find_compiler`` finds.

    Raises
    ------
    BuildError
        The compiler refused; the message carries its first errors.
    DataError
        The program's meta names no source, or one that is not there.
    MissingPartError
        There is no compiler.
    """
    compiler = compiler or find_compiler()
    sources = _sources_of(program)
    operator, operator_built = _in_cache(
        cache_root,
        label=program.uoa,
        file_name=OPERATOR_NAME,
        sources=sources,
        depends=[*sources, *_headers_of(program, sources)],
        arguments=[*_OPERATOR_FLAGS, *_library_flags(library), *shlex.split(flags)],
        libraries=[*map(str, library.link_files), *_run_paths(library)],
        inputs={"library": library.library.tag, "build": library.library.build},
        compiler=compiler,
    )
    hosted = bool(library.python)
    drivers = sorted(NATIVE.glob("*.cpp"))
    driver, driver_built = _in_cache(
        cache_root,
        label="hosted-driver" if hosted else "driver",
        file_name=HOSTED_DRIVER_NAME if hosted else DRIVER_NAME,
        sources=drivers,
        depends=[*drivers, *included(drivers, [NATIVE])],
        arguments=[*_DRIVER_FLAGS, *(_HOSTED_FLAGS if hosted else ())],
        libraries=["-ldl"],
        inputs={},
        compiler=compiler,
    )
    subject = Subject(
        program=program.uoa,
        program_sha=program_hash(program),
        driver_sha=driver_hash(hosted=hosted),
        library=library.library,
        compiler=compiler.description,
        flags=flags,
    )
    return BuiltProgram(
        driver=driver,
        operator=operator,
        subject=subject,
        env=dict(library.env),
        built=operator_built or driver_built,
        runner=_host_of(library),
    )


def build_layer(library: FoundLibrary, name: str, *, cache_root: Path, compiler: Compiler | None = None) -> Path:
    """Compile an OpenCL layer of ours (a file of native/layers), or find it in the cache.

    Raises
    ------
    BuildError
        The compiler refused.
    MissingPartError
        There is no compiler.
    """
    flags = _library_flags(library)
    return _build_alone(NATIVE / "layers" / f"{name}.cpp", LAYER_NAME, flags, cache_root, compiler or find_compiler())


def build_plugin(name: str, *, api: int, cache_root: Path) -> Path:
    """Compile a plugin of ours for an emulator of this machine (a file of native/plugins), or find it in the cache.

    Parameters
    ----------
    api
        Version of the emulator's interface that it is to claim.

    Raises
    ------
    BuildError
        The compiler refused.
    MissingPartError
        There is no compiler.
    """
    flags = (f"-DNNTEST_PLUGIN_API={api}",)
    return _build_alone(NATIVE / "plugins" / f"{name}.cpp", PLUGIN_NAME, flags, cache_root, find_compiler())


def _build_alone(source: Path, file_name: str, flags: Sequence[str], cache_root: Path, compiler: Compiler) -> Path:
    """Compile one file of ours to a shared object of its own."""
    file, _ = _in_cache(
        cache_root,
        label=source.stem.replace("_", "-"),
        file_name=file_name,
        sources=[source],
        depends=[source, *included([source], [NATIVE])],
        arguments=[*_OPERATOR_FLAGS, *flags],
        libraries=[],
        inputs={},
        compiler=compiler,
    )
    return file


def program_hash(program: ProgramSource) -> str:
    """Return the first 16 hex digits of the SHA-256 of a program's sources and the operator interface.

    Raises
    ------
    DataError
        The program's meta names no source, or one that is not there.
    """
    return _hash_files([*_sources_of(program), NATIVE / "nntest_operator.h"])


def driver_hash(*, hosted: bool = False) -> str:
    """Return the first 16 hex digits of the SHA-256 of everything under native/, and of what hosts a driver."""
    files = sorted([*NATIVE.glob("*.cpp"), *NATIVE.glob("*.h")])
    return _hash_files([*files, *sorted(HOSTED.glob("*.py"))] if hosted else files)


def _host_of(library: FoundLibrary) -> tuple[str, ...]:
    """Return the command of the Python process that programs of a library run in; it takes nothing from its user."""
    if not library.python:
        return ()
    return (sys.executable, "-I", "-S", str(HOSTED / "host.py"), os.pathsep.join(map(str, library.python)))


def _headers_of(program: ProgramSource, sources: Sequence[Path]) -> list[Path]:
    """Return what its sources include of ours, and all headers beside them: flags may bring in some (``-include``)."""
    return sorted({*included(sources, [NATIVE]), *program.path.glob("*.h")})


def _sources_of(program: ProgramSource) -> list[Path]:
    names = program.meta.get("source_files") or []
    if not names:
        raise DataError(
            f"{program.path}/.cm/meta.json: source_files is missing; expected the names of the C++ files to compile; "
            "add them"
        )
    sources = [program.path / str(name) for name in names]
    for source in sources:
        if not source.is_file():
            raise DataError(
                f"{program.path}/.cm/meta.json: source_files names {source.name}, which is not there; "
                "correct the name or add the file"
            )
    return sources


def _library_flags(library: FoundLibrary) -> list[str]:
    definitions = [f'-D{name}="{text}"' for name, text in library.definitions.items()]
    return [f"-I{NATIVE}", *(f"-isystem{folder}" for folder in library.include_dirs), *definitions]


def _run_paths(library: FoundLibrary) -> list[str]:
    return [f"-Wl,-rpath,{folder}" for folder in dict.fromkeys(file.parent for file in library.link_files)]


def _in_cache(
    cache_root: Path,
    *,
    label: str,
    file_name: str,
    sources: Sequence[Path],
    depends: Iterable[Path],
    arguments: list[str],
    libraries: list[str],
    inputs: Mapping[str, str],
    compiler: Compiler,
) -> tuple[Path, bool]:
    recipe = {
        "sources": _hash_files(depends),
        "arguments": arguments,
        "libraries": libraries,
        "inputs": dict(inputs),
        "compiler": compiler.description,
        "machine": _machine(arguments),
    }
    folder = cache_root / f"{label}-{block_id(recipe)}"
    target = folder / file_name
    if target.is_file():
        return target, False
    cache_root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{label}-", dir=cache_root, ignore_cleanup_errors=True) as temporary:
        complete = Path(temporary) / "complete"
        complete.mkdir()
        command = [*compiler.command, *arguments, *map(str, sources), "-o", str(complete / file_name), *libraries]
        _compile_all(label, command, [str(source) for source in sources], Path(temporary))
        (complete / "build.json").write_text(json.dumps({**recipe, "command": command}, indent=2) + "\n")
        try:
            complete.rename(folder)
        except OSError:
            if not target.is_file():  # not a builder that was faster: a real refusal
                raise
            return target, False
    return target, True


def _compile_all(label: str, command: list[str], sources: list[str], folder: Path) -> None:
    """Do what ``command`` says; several sources are compiled side by side first."""
    if len(sources) > 1:
        objects = {source: str(folder / f"{index}.o") for index, source in enumerate(sources)}
        options = command[: command.index(sources[0])]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda item: _compile(label, [*options, "-c", item[0], "-o", item[1]]), objects.items()))
        command = [objects.get(word, word) for word in command]
    _compile(label, command)


def _compile(label: str, command: list[str]) -> None:
    try:
        # Messages in English, whatever the user speaks: they are searched for "error".
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMPILE_TIMEOUT_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{label}: the compiler took more than {_COMPILE_TIMEOUT_S} s; it was stopped") from None
    if answer.returncode != 0:
        raise BuildError(f"{label}: did not compile: {_first_errors(answer.stderr, answer.returncode, command)}")


def _first_errors(messages: str, code: int, command: Sequence[str]) -> str:
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or "undefined reference" in line]
    chosen = (errors or lines)[:_ERROR_LINES]
    return _without_folders("; ".join(chosen), command) if chosen else f"the compiler's exit code was {code}"


def _without_folders(text: str, command: Sequence[str]) -> str:
    """Return file names for paths: the text becomes part of a point, which names no folder of its machine."""
    folders = {str(Path(word).parent) for word in command if Path(word).is_absolute()}
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(f"{folder}/", "")
    return _FOLDERS.sub("", text)


def _hash_files(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _machine(arguments: Sequence[str]) -> str:
    """Architecture, and with -march=native the processor too: a cache may be shared between machines."""
    machine = platform.machine()
    if any(argument.endswith("=native") for argument in arguments):
        cpuinfo = Path("/proc/cpuinfo")
        lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.is_file() else []
        machine += " " + next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return machine
