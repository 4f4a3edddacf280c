from pathlib import Path

import pandas as pd
import pytest

from nntest.analyses.contract import Frames
from nntest.errors import UsageError
from nntest.report import write_report
from nntest.report.suite import SUITABLE, holding
from nntest.store.entries import find_analyses
from tests.analyses.frames import FEW, network, repetitions, session, typed

FRAMES = Frames(points=session(shapes=FEW), networks=network())


def suitable(frames: Frames) -> list[str]:
    return [name for name, suits in SUITABLE.items() if suits(holding(frames))]


def test_every_suitable_analysis_is_an_entry() -> None:
    assert set(SUITABLE) <= {entry.uoa for entry in find_analyses()}


def test_what_suits_follows_from_what_the_source_holds() -> None:
    assert suitable(FRAMES) == ["adaptive", "speedup", "schedule", "violin", "points", "platform"]
    alone = typed(repetitions([1.0] * 10))
    assert suitable(Frames(points=alone)) == ["violin", "points", "platform"]
    counted = typed(repetitions([1.0] * 10, instructions=158.0, emulated=True, trust="emulated"))
    assert suitable(Frames(points=counted)) == ["violin", "instructions", "points", "platform"]
    whole = typed(
        [item for library in "ab" for item in repetitions([1.0] * 3, model="net", shape=None, species=None,
                                                          library=library, memory_mb=3.0)]
    )  # fmt: skip
    assert suitable(Frames(points=whole)) == ["speedup", "batch", "ratio", "memory", "violin", "points", "platform"]


def test_the_page_comes_last_and_every_part_lies_beside_it(tmp_path: Path) -> None:
    paths = write_report(FRAMES, tmp_path, analyses=["speedup", "violin"], formats=["html", "md", "tex"])
    assert paths[-1] == tmp_path / "report.html"
    names = {path.name for path in paths}
    assert {"speedup.csv", "speedup.svg", "speedup.png", "speedup.tex", "speedup-comparison.tex", "report.md"} <= names
    assert all(path.is_file() for path in paths)


# the second is what the analysis of instructions takes unasked
@pytest.mark.parametrize("include", ["emulated", "emulated,profiled"])
def test_nobody_is_crowned_for_emulated_times_unless_asked(include: str, tmp_path: Path) -> None:
    rows = [
        item
        for library, time_us in (("a-1", 100.0), ("b-1", 200.0))
        for item in repetitions([time_us] * 6, library=library, program=f"conv-{library}", emulated=True,
                                trust="emulated", instructions=1e6)
    ]  # fmt: skip
    (*_, page) = write_report(Frames(points=typed(rows)), tmp_path / "unasked")
    text = page.read_text(encoding="utf-8")
    assert "Instructions of a call" in text
    assert "is fastest" not in text
    asked = {"include": include}
    (*_, page) = write_report(Frames(points=typed(rows)), tmp_path / "asked", analyses=["instructions"], options=asked)
    assert "is fastest" in page.read_text(encoding="utf-8")


def test_an_analysis_that_cannot_say_anything_is_named_with_its_reason(tmp_path: Path) -> None:
    points = typed(repetitions([1.0] * 10, trust="unverified"))
    (*_, page) = write_report(Frames(points=points), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "Not shown" in text
    assert "violin: no row can be ranked (10 unverified); --include=unverified ranks them all the same" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"formats": ["pdf"]}, "report: format is 'pdf'; expected one of html, md, tex"),
        ({"analyses": ["violin"], "options": {"baseline": "x:y"}},
         "report: there is no option 'baseline' in any of the 1 analyses; `nntest list analyses` shows them"),
        ({"analyses": ["speedupp"]}, "speedupp: no analysis of that name was found; did you mean `speedup`?"),
    ],
    ids=["format", "option", "analysis"],
)  # fmt: skip
def test_what_is_not_known_is_refused(tmp_path: Path, given: dict, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        write_report(FRAMES, tmp_path / "out", **given)
    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()


def test_a_source_without_points_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^report: nothing can be said of this source \(it holds no points\)$"):
        write_report(Frames(points=typed([])), tmp_path)


def test_options_reach_the_analyses_that_have_them(tmp_path: Path) -> None:
    write_report(FRAMES, tmp_path, analyses=["speedup", "violin"], options={"baseline": "library:plain-cpu"})
    baseline = pd.read_csv(tmp_path / "speedup.csv").query("library == 'plain-cpu-1.0.0'")
    assert (baseline["speedup"] == 1.0).all()
