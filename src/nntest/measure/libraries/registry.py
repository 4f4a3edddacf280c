"""All libraries that NNTest knows how to find."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from nntest.errors import MissingPartError, UsageError
from nntest.measure.libraries import armcl, clblast, litert, ncnn, onednn, onnxruntime, openblas, openvino, plain
from nntest.measure.libraries.found import FoundLibrary, Search


class _Finder(NamedTuple):
    search: Callable[[str], Search]
    title: str
    install: str
    packages: tuple[str, ...] = ()
    versions: str = "*"
    needs: tuple[str, ...] = ()


_FINDERS: Mapping[str, _Finder] = {
    onednn.NAME: _Finder(onednn.search, "oneDNN", onednn.INSTALL, onednn.PACKAGES, onednn.VERSIONS),
    openblas.NAME: _Finder(openblas.search, "OpenBLAS", openblas.INSTALL, openblas.PACKAGES, openblas.VERSIONS),
    onnxruntime.NAME: _Finder(
        onnxruntime.search, "ONNX Runtime", onnxruntime.INSTALL, onnxruntime.PACKAGES, onnxruntime.VERSIONS
    ),
    openvino.NAME: _Finder(openvino.search, "OpenVINO", openvino.INSTALL, openvino.PACKAGES, openvino.VERSIONS),
    litert.NAME: _Finder(litert.search, "LiteRT", litert.INSTALL, litert.PACKAGES, litert.VERSIONS, needs=litert.NEEDS),
    ncnn.NAME: _Finder(ncnn.search, "ncnn", ncnn.INSTALL, ncnn.PACKAGES, ncnn.VERSIONS),
    plain.NAME: _Finder(plain.search, "plain-cpu", plain.INSTALL, plain.PACKAGES, plain.VERSIONS),
    clblast.NAME: _Finder(clblast.search, clblast.TITLE, clblast.INSTALL, versions=clblast.VERSIONS),
    armcl.NEON: _Finder(armcl.search_neon, armcl.TITLE, armcl.INSTALL, versions=armcl.VERSIONS),
    armcl.OPENCL: _Finder(armcl.search_opencl, armcl.TITLE, armcl.INSTALL, versions=armcl.VERSIONS),
}

LIBRARY_NAMES = tuple(_FINDERS)


def find_libraries() -> list[FoundLibrary]:
    """Return every version of every library that is usable here, preferred ones first.

    What is absent or incomplete is left out; a binary that stands in several places counts once.
    """
    everything = [found for finder in _FINDERS.values() for found in _usable(finder)]
    first = {(found.library.tag, found.library.build): found for found in reversed(everything)}
    return [found for found in everything if first[found.library.tag, found.library.build] is found]


def usual_versions(name: str) -> str:
    """Return the pattern of the versions whose interface programs of a library are written for: ``3.*``."""
    return _FINDERS[name].versions if name in _FINDERS else "*"


def wheels_of(name: str) -> tuple[str, ...]:
    """Return the packages, all of one version, that hold a library; empty where there are none.

    Raises
    ------
    UsageError
        ``name`` is no library that NNTest knows.
    """
    return _finder(name).packages


def needs_of(name: str) -> tuple[str, ...]:
    """Return the packages that those of `wheels_of` need beside them, in any version.

    Raises
    ------
    UsageError
        ``name`` is no library that NNTest knows.
    """
    return _finder(name).needs


def find_library(name: str, spec: str = "") -> FoundLibrary:
    """Return one library.

    Parameters
    ----------
    name
        One of ``LIBRARY_NAMES``.
    spec
        Nothing (the first that is found), a version or its beginning (``3.1``), a tag, a pattern of these (``3.*``),
        or the path of a folder with include/ and lib/.

    Raises
    ------
    UsageError
        ``name`` is no library that NNTest knows.
    MissingPartError
        It is not installed, or not in that version; the message says how to install it.
    """
    finder = _finder(name)
    root = spec if "/" in spec else ""
    search = finder.search(root)
    if root and not Path(root).expanduser().is_dir():
        raise MissingPartError(f"{name}: {root} is no folder; expected one with include/ and lib/; correct --library")
    wanted = "" if root else spec
    for found in search.found:
        if not wanted or _is_meant(found, wanted):
            return found
    if search.found:
        there = ", ".join(found.library.tag for found in search.found)
        advice = f"install it with `{finder.install}`, or choose one of those" if finder.install else "choose that one"
        raise MissingPartError(f"{name}: {spec} was not found (there is {there}); {advice}")
    raise MissingPartError(
        f"{name}: {finder.title} was not found (looked in {', '.join(search.looked_in)}); "
        f"install it with `{finder.install}`, or choose another program from `nntest list programs`"
    )


def _finder(name: str) -> _Finder:
    if name not in _FINDERS:
        raise UsageError(f"library {name}: unknown; expected one of {', '.join(LIBRARY_NAMES)}; correct the name")
    return _FINDERS[name]


def _is_meant(found: FoundLibrary, wanted: str) -> bool:
    """Tell whether a word names a library: by its name, its version or tag, their beginning or a pattern of them."""
    library = found.library
    exact = wanted == library.name or fnmatchcase(library.version, wanted) or fnmatchcase(library.tag, wanted)
    return exact or library.version.startswith(f"{wanted}.") or library.tag.startswith(f"{wanted}.")


def _usable(finder: _Finder) -> tuple[FoundLibrary, ...]:
    try:
        return finder.search("").found
    except MissingPartError:
        return ()
