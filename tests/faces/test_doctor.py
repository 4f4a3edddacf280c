"""What ``nntest doctor`` says of parts that are absent."""

import pytest

from nntest.errors import MissingPartError
from nntest.faces.doctor import examine
from nntest.measure import libraries


def test_an_absent_library_is_a_note_that_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_library(name: str) -> None:
        raise MissingPartError(f"{name}: was not found; install it with `pip install {name}`")

    present = [found for found in libraries.find_libraries() if found.library.name != "openblas-cpu"]
    monkeypatch.setattr(libraries, "find_libraries", lambda: present)
    monkeypatch.setattr(libraries, "find_library", find_library)
    found = {one.found: one.verdict for one in examine() if one.subject == "library"}
    assert found["openblas-cpu: was not found; install it with `pip install openblas-cpu`"] == "note"
    assert found["plain-cpu-1.0.0"] == "ok"
