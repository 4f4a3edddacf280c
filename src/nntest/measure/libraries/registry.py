"""All libraries that NNTest knows how to find."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from nntest.errors import MissingPartError, UsageError
from nntest.measure.libraries import onednn, openblas, plain
from nntest.measure.libraries.found import FoundLibrary, Search


class _Finder(NamedTuple):
    search: Callable[[str], Search]
    title: str
    install: str


_FINDERS: Mapping[str, _Finder] = {
    onednn.NAME: _Finder(onednn.search, "oneDNN", onednn.INSTALL),
    openblas.NAME: _Finder(openblas.search, "OpenBLAS", openblas.INSTALL),
    plain.NAME: _Finder(plain.search, "plain-cpu", plain.INSTALL),
}

LIBRARY_NAMES = tuple(_FINDERS)


def find_libraries() -> list[FoundLibrary]:
    """Return every library that is usable here; what is absent or incomplete is left out."""
    return [found for finder in _FINDERS.values() for found in _usable(finder)]


def find_library(name: str, spec: str = "") -> FoundLibrary:
    """Return one library.

    Parameters
    ----------
    name
        One of ``LIBRARY_NAMES``.
    spec
        Nothing (the first that is found), a version, a tag, or the path of a folder with include/ and lib/.

    Raises
    ------
    UsageError
        ``name`` is no library that NNTest knows.
    MissingPartError
        It is not installed, or not in that version; the message says how to install it.
    """
    if name not in _FINDERS:
        raise UsageError(f"library {name}: unknown; expected one of {', '.join(LIBRARY_NAMES)}; correct the name")
    finder = _FINDERS[name]
    root = spec if "/" in spec else ""
    search = finder.search(root)
    if root and not Path(root).is_dir():
        raise MissingPartError(f"{name}: {root} is no folder; expected one with include/ and lib/; correct --library")
    wanted = "" if root else spec
    for found in search.found:
        if wanted in ("", found.library.name, found.library.version, found.library.tag):
            return found
    if search.found:
        there = ", ".join(found.library.tag for found in search.found)
        advice = f"install it with `{finder.install}`, or choose one of those" if finder.install else "choose that one"
        raise MissingPartError(f"{name}: {spec} was not found (there is {there}); {advice}")
    raise MissingPartError(
        f"{name}: {finder.title} was not found (looked in {', '.join(search.looked_in)}); "
        f"install it with `{finder.install}`, or choose another program from `nntest list programs`"
    )


def _usable(finder: _Finder) -> tuple[FoundLibrary, ...]:
    try:
        return finder.search("").found
    except MissingPartError:
        return ()
