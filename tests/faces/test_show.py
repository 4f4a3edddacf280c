"""What ``nntest show`` says of a point: its verdict with what speaks for it."""

from dataclasses import replace
from pathlib import Path

from nntest.faces.show import point_lines
from nntest.model.point import Failure, Point
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
