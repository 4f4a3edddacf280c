"""What a session looks like on a terminal and in a pipe."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from nntest.faces.progress import ProgressReporter
from nntest.faces.sessions import summary_lines
from nntest.model.case import Case, Library, Plan, Platform, Subject
from nntest.model.point import Failure, Origin, Point, Sample, Verification

POINT = Point(
    case=Case(program="conv-x", species="conv", parameters={}),
    subject=Subject(
        program="conv-x",
        program_sha="1",
        driver_sha="2",
        library=Library(tag="x-1", name="x", version="1"),
        compiler="c++",
        flags="",
    ),
    platform=Platform(machine="m", model="m", cpu="c", cores=2, memory_mb=1, os="o", kernel="k", arch="a"),
    plan=Plan(),
    origin=Origin(dataset="d", dataset_file="f", session="s", timestamp="t"),
    samples=tuple(Sample(launch=0, round=i, loops=10, seconds=1e-3 * (i + 1), at_s=float(i)) for i in range(3)),
    verification=Verification(verified=True),
    trust="stable",
)
TRIAL: Any = SimpleNamespace(name="conv-x x-1 3-2-1")
PLAN: Any = SimpleNamespace(
    trials=[1, 2, 3],
    groups=[1, 2],
    notes=["a word"],
    plan=SimpleNamespace(repetitions=10),
    estimated_s=12.0,
    request=SimpleNamespace(resume=False),
)


class Screen:
    """A reporter with what it writes, and a clock that the test moves."""

    def __init__(self, *, terminal: bool) -> None:
        self.out, self.err, self.now = StringIO(), StringIO(), 0.0
        console = Console(file=self.err, force_terminal=terminal, width=100, color_system=None)
        self.reporter = ProgressReporter(self.out, console, clock=lambda: self.now)


@pytest.mark.parametrize(
    ("point", "line"),
    [
        (POINT, "      200 us  conv-x x-1 3-2-1\n"),
        (replace(POINT, samples=POINT.samples[:2]), "      150 us  conv-x x-1 3-2-1\n"),
        (replace(POINT, flags=("steal",)), "      200 us  conv-x x-1 3-2-1  stable (steal)\n"),
        (
            replace(POINT, trust="failed", failure=Failure(kind="crash", reason="SIGSEGV:\nlast words")),
            "       crash  conv-x x-1 3-2-1: SIGSEGV: last words\n",
        ),
        (None, " unsupported  conv-x x-1 3-2-1\n"),
    ],
)
def test_a_case_is_one_line(point: Point | None, line: str) -> None:
    screen = Screen(terminal=False)
    screen.reporter.case_done(TRIAL, point)
    assert screen.out.getvalue() == line


def test_a_pipe_gets_plain_lines() -> None:
    screen = Screen(terminal=False)
    with screen.reporter as reporter:
        reporter.session_started(PLAN)
        reporter.building("conv-x")
        reporter.advanced(6.0, 12.0)
        reporter.group_done(SimpleNamespace(number=0))  # type: ignore[arg-type]
        reporter.note("[not markup] 42")
    assert screen.err.getvalue().splitlines() == [
        "a word",
        "3 cases in 2 groups, 10 repetitions each; about 12.0 s of measuring",
        "group 1 of 2 is done, 0 of 3 cases",
        "[not markup] 42",
    ]


@pytest.mark.parametrize(
    ("left", "line"),
    [
        ((1, 1, 4.0), "resumed: 1 of 3 cases left, in 1 group, 10 repetitions each; about 4.00 s of measuring"),
        ((0, 0, 0.0), "resumed: nothing is left to do"),
    ],
)
def test_a_resumed_session_tells_what_is_left_of_it(left: tuple[int, int, float], line: str) -> None:
    screen = Screen(terminal=False)
    plan: Any = SimpleNamespace(**{**vars(PLAN), "request": SimpleNamespace(resume=True)})
    with screen.reporter as reporter:
        reporter.session_started(plan)
        reporter.session_resumed(plan, *left)
    assert screen.err.getvalue().splitlines() == ["a word", line]


def test_a_terminal_gets_a_bar_with_the_time_left() -> None:
    screen = Screen(terminal=True)
    with screen.reporter as reporter:
        reporter.session_started(PLAN)
        screen.now = 10.0
        reporter.advanced(4.0, 12.0)
        drawn = screen.err.getvalue()
        screen.now = 10.1
        reporter.advanced(5.0, 12.0)
        assert screen.err.getvalue() == drawn, "drawn again too soon"
    assert "measuring 0 of 3" in drawn
    assert "33 %  about 20.0 s left" in drawn


def test_the_summary_adds_up() -> None:
    summary: Any = SimpleNamespace(
        points=3,
        failed=1,
        unsupported=1,
        found=0,
        found_failed=0,
        refused={"y": "no Winograd on 1x1"},
        experiments={"e": Path("e")},
    )
    assert list(summary_lines(summary)) == [
        "3 points, 1 of them failed, 1 unsupported",
        "unsupported: y: no Winograd on 1x1",
        "recorded in e",
    ]


def test_the_summary_of_a_resumed_session_counts_what_failed_before() -> None:
    summary: Any = SimpleNamespace(
        points=0, failed=0, unsupported=0, found=14, found_failed=3, refused={}, experiments={}
    )
    assert list(summary_lines(summary)) == ["0 points, 14 already there (3 of them failed)"]
