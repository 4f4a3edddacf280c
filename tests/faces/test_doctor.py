"""What ``nntest doctor`` says of parts that are absent."""

from pathlib import Path

import pytest

from nntest.errors import MissingPartError
from nntest.faces.doctor import examine
from nntest.measure import energy, libraries
from nntest.measure.energy import Counter, Counters


def test_an_absent_library_is_a_note_that_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_library(name: str) -> None:
        raise MissingPartError(f"{name}: was not found; install it with `pip install {name}`")

    present = [found for found in libraries.find_libraries() if found.library.name != "openblas-cpu"]
    monkeypatch.setattr(libraries, "find_libraries", lambda: present)
    monkeypatch.setattr(libraries, "find_library", find_library)
    found = {one.found: one.verdict for one in examine() if one.subject == "library"}
    assert found["openblas-cpu: was not found; install it with `pip install openblas-cpu`"] == "note"
    assert found["plain-cpu-1.0.0"] == "ok"


def test_energy_counters_are_named_or_why_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> tuple[str, str]:
        return next((one.verdict, one.found) for one in examine() if one.subject == "energy")

    monkeypatch.setattr(energy, "open_counters", lambda: Counters(reason="there are none"))
    assert found() == ("note", "NA, there are none")
    counters = Counters(
        (Counter("package", Path("a"), 1), Counter("package", Path("b"), 1), Counter("dram", Path("c"), 1))
    )
    monkeypatch.setattr(energy, "open_counters", lambda: counters)
    words = "package, idle subtracted; counters of package, dram; a session first looks at the idle machine for 2 s"
    assert found() == ("ok", words)
