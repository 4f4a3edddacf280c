"""What ``nntest show`` says of a point: its verdict with what speaks for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from nntest.faces import cli
from nntest.faces.show import point_lines
from nntest.model.point import Energy, Failure, Point
from nntest.store.publish import save_point
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


def test_only_floats_have_a_speed_in_floating_point_operations() -> None:
    point = steady_point()
    whole = replace(point, case=replace(point.case, dtype="uint8"))
    told = ["GFLOPS" in " ".join(point_lines(Path("ckp.json"), one)) for one in (point, whole)]
    assert told == [True, False]


def test_flags_stand_behind_the_verdict() -> None:
    assert verdict_of(replace(steady_point(), extra={"shared_machine": True})) == "stable; seen: shared_machine"


def test_a_reason_of_several_lines_is_one(tmp_path: Path) -> None:
    subject = replace(make_point().subject, compiler="", flags="")
    failure = Failure(kind="build", reason="first\nsecond")
    failed = replace(steady_point(), samples=(), launches=(), subject=subject, failure=failure)
    lines = [line.split(maxsplit=1) for line in point_lines(Path("ckp.json"), failed)]
    assert ["output", "build: first second"] in lines
    assert ["answered", subject.library.tag] in lines


def test_an_experiment_shows_medians_and_why_a_case_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    point = steady_point()
    seconds = [0.001, 0.002, 0.003, 0.005]
    samples = tuple(
        replace(point.samples[0], round=index, loops=1, seconds=value) for index, value in enumerate(seconds)
    )
    failed = replace(
        point,
        case=replace(point.case, batch_size=7),
        samples=(),
        launches=(),
        failure=Failure(kind="crash", reason="SIGSEGV\nlater"),
        extra={"shared_machine": True},
    )
    save_point(tmp_path, replace(point, samples=samples))
    save_point(tmp_path, failed)
    assert cli.main(["show", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert " 2.50 ms " in shown
    assert "SIGSEGV; shared_machine\n" in shown


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


def test_counts_of_instructions_are_shown_as_counts_where_there_are_any() -> None:
    point = steady_point()
    lines = point_lines(Path("ckp.json"), point)
    assert not any(line.startswith("  count") for line in lines)
    alike = tuple(
        replace(sample, watch=replace(sample.watch, instructions=1500 * sample.loops)) for sample in point.samples
    )
    counted = replace(point, samples=alike, extra={"counter": "nntest-count 1 (plugin of qemu-aarch64 7.2.22)"})
    assert count_of(counted) == (
        "1,500.00 instructions a call, all samples alike; no time; by nntest-count 1 (plugin of qemu-aarch64 7.2.22)"
    )
    more = replace(alike[0], watch=replace(alike[0].watch, instructions=1501 * alike[0].loops))
    assert count_of(replace(counted, samples=(more, *alike[1:]), extra={})) == (
        f"1,500.00 instructions a call, 1,500.00 to 1,501.00 over {len(alike)} samples; no time; by an emulator"
    )


def count_of(point: Point) -> str:
    [line] = [line for line in point_lines(Path("ckp.json"), point) if line.startswith("  count")]
    return line.split(maxsplit=1)[1]


def test_where_there_is_no_energy_the_reason_is_shown() -> None:
    point = steady_point()
    assert energy_of(point) == ["NA: not recorded when this point was made"]
    assert energy_of(replace(point, energy=Energy(reason="no counters"))) == ["NA: no counters"]
    failed = replace(point, samples=(), launches=(), failure=Failure(kind="crash", reason="SIGSEGV"))
    assert energy_of(failed) == []
