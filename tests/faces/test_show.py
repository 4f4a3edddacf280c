"""What ``nntest show`` says of a point: its verdict with what speaks for it."""

from dataclasses import replace
from pathlib import Path

from nntest.faces.show import point_lines
from nntest.model.point import Energy, Failure, Point
from tests.points import make_point


def steady_point() -> Point:
    point = make_point()
    return replace(point, samples=tuple(replace(sample, seconds=1e-3) for sample in point.samples))


def verdict_of(point: Point) -> str:
    lines = list(point_lines(Path("ckp.json"), point))
    return next(line.split(maxsplit=1)[1] for line in lines if line.startswith("  verdict"))


def test_only_of_a_stable_point_is_said_that_nothing_speaks_against_it() -> None:
    assert verdict_of(steady_point()) == "stable; nothing was seen that speaks against it"
    failed = replace(steady_point(), samples=(), launches=(), failure=Failure(kind="crash", reason="SIGSEGV"))
    assert verdict_of(failed) == "failed"


def test_flags_stand_behind_the_verdict() -> None:
    assert verdict_of(replace(steady_point(), extra={"shared_machine": True})) == "stable; seen: shared_machine"


def energy_of(point: Point) -> list[str]:
    lines = point_lines(Path("ckp.json"), point)
    return [line.split(maxsplit=1)[1] for line in lines if line.startswith("  energy")]


def test_an_energy_is_shown_with_its_tier_and_what_was_subtracted() -> None:
    point = steady_point()
    samples = tuple(
        replace(sample, watch=replace(sample.watch, package_j=0.05 * sample.loops)) for sample in point.samples
    )
    launches = tuple(replace(launch, idle_w=20.0) for launch in point.launches)
    energy = Energy(tier="package, idle subtracted", domains=("package",), resolution_s=1e-3, idle_s=2.0)
    measured = replace(point, samples=samples, launches=launches, energy=energy)
    expected = "median 50 mJ a call (package, idle subtracted), 500.0 W above 20.0 W of the idle machine"
    assert energy_of(measured) == [expected]
    assert energy_of(replace(point, energy=energy)) == ["NA: no block was warm and long enough for the counters"]


def test_where_there_is_no_energy_the_reason_is_shown() -> None:
    point = steady_point()
    assert energy_of(point) == ["NA: not recorded when this point was made"]
    assert energy_of(replace(point, energy=Energy(reason="no counters"))) == ["NA: no counters"]
    failed = replace(point, samples=(), launches=(), failure=Failure(kind="crash", reason="SIGSEGV"))
    assert energy_of(failed) == []
