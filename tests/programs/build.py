"""Builds programs for tests, into a cache that later runs of the tests find again."""

import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nntest.errors import BuildError, MissingPartError
from nntest.measure.build import BuiltProgram, build
from nntest.measure.driver import DriverProcess
from nntest.measure.libraries import find_library
from nntest.model.case import Case
from nntest.model.species import SPECIES

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / "build" / "tests"
# Their wheels are no part of the set-up.
OPTIONAL_LIBRARIES = ("onnxruntime-cpu", "openvino-cpu", "litert-cpu", "ncnn-cpu")


@dataclass(frozen=True)
class Source:
    """What building needs to know of a program."""

    uoa: str
    path: Path
    meta: Mapping[str, Any]


def source_of(name: str) -> Source:
    """Find a program of the repository, or one of those beside this file."""
    places = [REPOSITORY / "program" / name, Path(__file__).parent / name]
    path = next(place for place in places if place.is_dir())
    return Source(name, path, json.loads((path / ".cm" / "meta.json").read_text()))


@cache
def built(name: str, flags: str = "") -> BuiltProgram:
    """Build a program; the test is skipped where its library is optional and not there."""
    source = source_of(name)
    library = source.meta["nntest"]["library"]
    try:
        found = find_library(library)
    except MissingPartError as missing:
        if library in OPTIONAL_LIBRARIES:
            pytest.skip(str(missing))
        raise
    return build(source, found, flags=flags, cache_root=CACHE)


def build_side_by_side(names: Iterable[str]) -> None:
    """Build programs with all cores; what cannot be built is left to the test that asks for it."""

    def attempt(name: str) -> None:
        with suppress(BuildError, MissingPartError, pytest.skip.Exception):
            built(name)

    programs = [name for name in dict.fromkeys(names) if _is_ours(name)]
    # The first of each library by itself: they share a driver, which would be compiled several times.
    firsts = list({source_of(name).meta["nntest"]["library"]: name for name in reversed(programs)}.values())
    for name in firsts:
        attempt(name)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(attempt, [name for name in programs if name not in firsts]))


def _is_ours(name: str) -> bool:
    return name.endswith("-cpu") and (REPOSITORY / "program" / name).is_dir()


def start(name: str, *, threads: int = 1, timeout_s: float = 60.0, flags: str = "", **env: str) -> DriverProcess:
    """Start a driver without pinning, so that tests run anywhere."""
    return DriverProcess.start(
        built(name, flags), cores=(), threads=threads, env=env, heap_offset=64, timeout_s=timeout_s
    )


def case_of(name: str, values: Mapping[str, object] | None = None, **options: Any) -> Case:
    """Make a case of a program; a small convolution by default."""
    species = source_of(name).meta["nntest"]["species"]
    small = {"CK_IN_SHAPE_C": 3, "CK_IN_SHAPE_H": 5, "CK_IN_SHAPE_W": 4, "CK_OUT_SHAPE_C": 2, "CK_CONV_KERNEL": 3}
    parameters, batch_size = SPECIES[species].normalise(small if values is None else values)
    return Case(program=name, species=species, parameters=parameters, batch_size=batch_size, **options)
