"""The C++ compiler that programs are built with."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from nntest.errors import MissingPartError


@dataclass(frozen=True)
class Compiler:
    """A command that compiles C++17, and what it calls itself (part of a subject's identity)."""

    command: tuple[str, ...]
    description: str


def find_compiler(environment: Mapping[str, str] = os.environ) -> Compiler:
    """Return ``$CXX``, else the system's c++, else the one of the ziglang wheel.

    Raises
    ------
    MissingPartError
        There is none, or ``$CXX`` does not run.
    """
    chosen = shlex.split(environment.get("CXX", ""))
    if chosen:
        if shutil.which(chosen[0]) is None:
            raise MissingPartError(
                f"compiler: {chosen[0]} (from CXX) was not found; expected a C++17 compiler; correct or unset CXX"
            )
        return describe_compiler(tuple(chosen))
    if (system := shutil.which("c++")) is not None:
        return describe_compiler((system,))
    if importlib.util.find_spec("ziglang") is not None:
        return describe_compiler((sys.executable, "-m", "ziglang", "c++"))
    raise MissingPartError(
        "compiler: no C++ compiler was found (looked for CXX, c++ and the ziglang wheel); "
        "install one with `pip install ziglang`, or g++ with your system's package manager"
    )


@cache
def describe_compiler(command: tuple[str, ...]) -> Compiler:
    """Ask a compiler what it calls itself.

    Raises
    ------
    MissingPartError
        It does not run.
    """
    answer = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=120, check=False)
    lines = answer.stdout.splitlines()
    if answer.returncode != 0 or not lines:
        raise MissingPartError(
            f"compiler: {shlex.join(command)} --version failed; expected a working C++17 compiler; "
            "set CXX to another one"
        )
    return Compiler(command=command, description=lines[0].strip())
