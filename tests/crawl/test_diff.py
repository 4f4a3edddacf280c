"""Two sides of points: what can be told, what cannot, and what a gate makes of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nntest
from nntest.crawl.diff import Difference, diff, select
from nntest.errors import UsageError
from nntest.model.point import Failure, Point, Sample
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_case, make_platform, make_point, make_subject

META = {"tags": ["nntest", "conv"]}


def timed(factor: float, *, seed: int = 42, noise: float = 0.002, draw: int = 0, **other: Any) -> Point:
    """Return a point of 5 launches x 4 rounds around ``factor`` x 100 us."""
    random = np.random.default_rng(1000 * draw + seed)
    samples = tuple(
        Sample(launch=launch, round=turn, loops=10, at_s=1.0, seconds=float(value))
        for launch in range(5)
        for turn in range(4)
        for value in [1e-3 * factor * np.exp(random.normal(0, noise))]
    )
    case = make_case(seed=seed)
    return replace(make_point(case=case, session=f"session-{draw}", **other), samples=samples)


def table(tmp_path: Path, *points: Point) -> pd.DataFrame:
    path = tmp_path / f"repository-{len(list(tmp_path.iterdir()))}"
    folder = open_experiment(Repository("x", path), "nntest-x", META)
    for point in points:
        save_point(folder, point)
    return nntest.load(path, index=False)


def verdicts(difference: Difference) -> list[str]:
    return [case.verdict for case in difference.cases]


@pytest.mark.parametrize(
    ("factor", "verdict", "gate", "code"),
    [
        (1.10, "slower", "slower", 1),
        (1.03, "slower", "passed", 0),
        (1.0, "equal", "passed", 0),
        (0.8, "faster", "passed", 0),
    ],
)
def test_a_clear_case(tmp_path: Path, factor: float, verdict: str, gate: str, code: int) -> None:
    a, b = table(tmp_path, timed(1.0, draw=1)), table(tmp_path, timed(factor, draw=2))
    found = diff(a, b, limit=0.05)
    (case,) = found.cases
    assert (case.verdict, case.gate, found.exit_code) == (verdict, gate, code)
    assert case.comparison is not None
    assert case.comparison.ratio == pytest.approx(factor, rel=0.01)
    assert case.comparison.low < factor < case.comparison.high
    assert (case.program, case.case) == ("conv-onednn-cpu", "512-14-14-1-512-1-0 layout=NCHW")
    assert diff(a, b).exit_code == 0


def test_what_straddles_the_limit_cannot_be_decided(tmp_path: Path) -> None:
    a, b = table(tmp_path, timed(1.0, noise=0.1, draw=1)), table(tmp_path, timed(1.05, noise=0.1, draw=2))
    found = diff(a, b, limit=0.05)
    assert (found.cases[0].gate, found.exit_code) == ("undecided", 4)


def test_swapping_the_sides_inverts_the_ratio(tmp_path: Path) -> None:
    a, b = table(tmp_path, timed(1.0, draw=1)), table(tmp_path, timed(1.1, draw=2))
    there, back = diff(a, b).cases[0], diff(b, a).cases[0]
    assert there.comparison is not None
    assert back.comparison is not None
    assert there.comparison.ratio == pytest.approx(1 / back.comparison.ratio)
    assert (there.verdict, back.verdict) == ("slower", "faster")


def test_rounds_of_one_session_are_paired(tmp_path: Path) -> None:
    """A drift that both sides share does not hide a small difference."""
    drift = [float(np.exp(0.3 * step / 20)) for step in range(20)]

    def drifting(factor: float, version: str, draw: int) -> Point:
        point = timed(factor, noise=0.001, draw=draw, subject=make_subject(version=version))
        samples = tuple(
            replace(sample, seconds=sample.seconds * slow) for sample, slow in zip(point.samples, drift, strict=True)
        )
        return replace(point, samples=samples, origin=replace(point.origin, session="one"))

    both = table(tmp_path, drifting(1.0, "3.1.0", 1), drifting(1.02, "3.2.0", 2))
    sides = [select(both, {"library_version": version}, name="x") for version in ("3.1*", "3.2*")]
    (case,) = diff(*sides).cases
    assert case.comparison is not None
    assert case.comparison.paired
    assert case.verdict == "slower"
    assert (case.a and case.a.library, case.b and case.b.library) == ("onednn-cpu-3.1.0", "onednn-cpu-3.2.0")


def test_several_versions_on_one_side_are_not_averaged(tmp_path: Path) -> None:
    both = table(tmp_path, *(timed(1.0, subject=make_subject(version=version)) for version in ("3.1.0", "3.2.0")))
    found = diff(both, both, limit=0.05)
    assert verdicts(found) == ["undecided"]
    assert found.cases[0].reason == (
        "2 subjects in A (onednn-cpu-3.1.0, onednn-cpu-3.2.0); choose with --a subject_id=ID"
    )
    assert found.exit_code == 4


def test_platforms_are_joined_where_both_sides_know_them(tmp_path: Path) -> None:
    here, there = make_platform(), make_platform(cpu="Cortex-A72", model="board")
    a = table(tmp_path, timed(1.0, platform=here), timed(5.0, platform=there))
    b = table(tmp_path, timed(1.2, platform=here, draw=1), timed(5.0, platform=there, draw=1))
    assert sorted(verdicts(diff(a, b))) == ["equal", "slower"]
    only_there = table(tmp_path, timed(5.0, platform=there, draw=2))
    only_here = table(tmp_path, timed(1.0, platform=here, draw=2))
    (case,) = diff(only_here, only_there).cases
    assert (case.verdict, case.reason) == ("slower", "on another platform: KVM 1.0 and board")
    third = table(tmp_path, timed(1.0, platform=make_platform(cpu="other")))
    (case,) = diff(a, third).cases
    assert case.verdict == "undecided"
    assert case.reason == "several platforms, none of them on both sides; choose with --a and --b platform=NAME"


CRASH = Failure(kind="crash", reason="SIGSEGV")


def test_failures_and_what_one_side_lacks(tmp_path: Path) -> None:
    def failed(seed: int) -> Point:
        return replace(timed(1.0, seed=seed), samples=(), failure=CRASH)

    a = table(tmp_path, timed(1.0, seed=1), timed(1.0, seed=2), timed(1.0, seed=3), failed(4))
    b = table(tmp_path, timed(1.0, seed=1, draw=1), failed(2), timed(1.0, seed=4), timed(1.0, seed=5))
    found = diff(a, b, limit=0.05)
    by_verdict = {case.verdict: case for case in found.cases if case.verdict != "failed"}
    assert sorted(by_verdict) == ["equal", "missing in A", "missing in B"]
    assert by_verdict["missing in A"].gate == ""
    assert by_verdict["missing in B"].gate == "undecided"
    failures = {case.reason: case.gate for case in found.cases if case.verdict == "failed"}
    assert failures == {"B: SIGSEGV": "slower", "A: SIGSEGV": ""}
    assert found.exit_code == 1
    assert diff(a, a, limit=0.05).exit_code == 0


def test_nothing_in_common_is_undecided(tmp_path: Path) -> None:
    a, b = table(tmp_path, timed(1.0, seed=1)), table(tmp_path, timed(1.0, seed=2))
    assert diff(a, b, limit=0.05).exit_code == 4
    assert diff(a.iloc[:0], b.iloc[:0], limit=0.05).exit_code == 4
    assert diff(a.iloc[:0], b.iloc[:0]).cases == ()


def test_wrong_outputs_have_no_time(tmp_path: Path) -> None:
    a = table(tmp_path, timed(1.0))
    b = a.copy()
    b["verified"] = pd.array([False] * len(b), dtype="boolean")
    assert verdicts(diff(a, b)) == ["failed"]


def test_points_without_identity_are_counted(tmp_path: Path) -> None:
    a = table(tmp_path, timed(1.0))
    foreign = a.copy()
    foreign["case_id"] = pd.Series([None] * len(a), dtype="category")
    found = diff(a, foreign)
    assert found.notes == ("B: 1 points of other tools have no case_id and were not compared",)
    assert verdicts(found) == ["missing in B"]


def test_one_launch_gives_no_verdict(tmp_path: Path) -> None:
    point = timed(1.0)
    one = replace(point, samples=point.samples[:4])
    (case,) = diff(table(tmp_path, one), table(tmp_path, one), limit=0.05).cases
    assert (case.verdict, case.gate) == ("undecided", "undecided")
    assert case.reason == "fewer than two launches; measure with --launches=5"


def test_selection(tmp_path: Path) -> None:
    points = table(tmp_path, timed(1.0, subject=make_subject(version="3.1.0")), timed(1.0, seed=2))
    assert len(select(points, {"library_version": "3.1*", "batch_size": "1"}, name="--a")) == 20
    with pytest.raises(UsageError) as nothing:
        select(points, {"library_version": "4*"}, name="--a")
    assert str(nothing.value) == "--a: no point has library_version=4*; there is 3.1.0, 3.2.0"
    with pytest.raises(UsageError, match="--a: version is no column; expected one of repo, experiment, "):
        select(points, {"version": "4*"}, name="--a")


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_the_same_program_twice_rarely_fails_the_gate(draw: int) -> None:
    """Series, not files: the gate's two questions never contradict each other."""
    from nntest.statistics.comparison import compare
    from nntest.statistics.series import Series

    random = np.random.default_rng(draw)
    launches = np.repeat(np.arange(5), 4)
    a, b = (Series.of(np.exp(random.normal(0, 0.01, 20)), launches) for _ in range(2))
    gate = compare(replace(b, values=b.values / 1.05), a, margin=0.0)
    assert not (gate.verdict == "different" and gate.ratio > 1)
    assert gate.verdict != "equivalent"


def test_cases_that_differ_in_their_inputs_alone_say_so(tmp_path: Path) -> None:
    points = table(tmp_path, timed(1.0), timed(1.0, seed=7), replace(timed(1.0), case=make_case(data="relu")))
    assert [case.case for case in diff(points, points).cases] == [
        "512-14-14-1-512-1-0 layout=NCHW",
        "512-14-14-1-512-1-0 layout=NCHW data=relu",
        "512-14-14-1-512-1-0 layout=NCHW seed=7",
    ]
