"""Libraries on this machine: where they are, which version, and what to install when one is absent."""

from nntest.measure.libraries.found import FoundLibrary
from nntest.measure.libraries.isa import isa_environment
from nntest.measure.libraries.registry import (
    LIBRARY_NAMES,
    find_libraries,
    find_library,
    needs_of,
    usual_versions,
    wheels_of,
)

__all__ = [
    "LIBRARY_NAMES",
    "FoundLibrary",
    "find_libraries",
    "find_library",
    "isa_environment",
    "needs_of",
    "usual_versions",
    "wheels_of",
]
