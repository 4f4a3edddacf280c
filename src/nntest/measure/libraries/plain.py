"""plain-cpu: our own dependency-free C++; nothing has to be installed."""

from nntest.measure.libraries.found import FoundLibrary, Search
from nntest.model.case import Library

NAME = "plain-cpu"
PACKAGES: tuple[str, ...] = ()
INSTALL = ""  # it comes with NNTest
VERSIONS = "*"
VERSION = "1.0.0"


def search(_root: str = "") -> Search:
    """Return the one version that there is."""
    library = Library(tag=f"{NAME}-{VERSION}", name=NAME, version=VERSION, description="dependency-free C++")
    return Search(found=(FoundLibrary(library=library),))
