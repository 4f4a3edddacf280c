"""Verdicts on replayed samples: each flag by the series that must raise it, and by one that must not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from nntest.model.case import Case, Library, Plan, Platform, Subject
from nntest.model.point import Failure, Launch, Origin, Point, Profile, Sample, Verification, WarmUp, Watch
from nntest.statistics.interval import interval
from nntest.statistics.series import Series
from nntest.statistics.trust import FLAGS, UNSTABLE, VERDICTS, assess, relative_half_width

CALM = [[1.0, 1.01], [1.01, 1.0], [1.0, 1.0], [0.99, 1.0], [1.0, 1.01]]


def point(series: Sequence[Sequence[float]] = CALM, **more: Any) -> Point:
    """Make a point of values in microseconds by launch; ``watch`` gives each sample's."""
    watch = more.pop("watch", lambda launch, round_: Watch(core_ghz=3.0))
    samples = [
        Sample(
            launch=number,
            round=round_,
            loops=1000,
            seconds=value * 1e-3,
            at_s=10.0 * number + round_,
            watch=watch(number, round_),
        )
        for number, values in enumerate(series)
        for round_, value in enumerate(values)
    ]
    facts: dict[str, Any] = {
        "case": Case(program="p", species="softmax", parameters={}, threads=1),
        "subject": Subject(
            program="p",
            program_sha="0",
            driver_sha="0",
            library=Library(tag="l-1", name="l", version="1"),
            compiler="c++",
            flags="",
        ),
        "platform": Platform(machine="0", model="m", cpu="c", cores=2, memory_mb=1, os="o", kernel="k", arch="x86_64"),
        "plan": Plan(),
        "origin": Origin(dataset="d", dataset_file="f", session="s", timestamp="t"),
        "launches": tuple(launch(number) for number in range(len(series))),
        "samples": tuple(samples),
        "verification": Verification(verified=True),
    }
    return Point(**{**facts, **more})


def launch(number: int, **more: Any) -> Launch:
    zeros = dict.fromkeys(("setup_s", "prepare_weights_s", "reorder_in_s", "reorder_out_s", "first_run_s"), 0.0)
    return Launch(**{"launch": number, "cores": (1,), **zeros, **more})


def flags(one: Point) -> tuple[str, ...]:
    return assess(one)[1]


def test_a_calm_point_is_stable() -> None:
    assert assess(point()) == ("stable", ())


@pytest.mark.parametrize(
    ("flag", "seen"),
    [
        ("few_samples", point([[1.0], [1.0], [1.0]])),
        ("few_samples", point([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])),
        ("wide_interval", point([[1.0], [1.1], [0.9], [1.1], [0.9]])),
        ("drift", point([[1.00, 1.01], [1.02, 1.03], [1.04, 1.05], [1.06, 1.07], [1.08, 1.09]])),
        ("outlier_launch", point([[1.0, 1.0], [1.0, 1.0], [1.2, 1.2], [1.0, 1.0], [1.0, 1.0]])),
        ("frequency_changed", point(watch=lambda launch, round_: Watch(core_ghz=3.0 + 0.2 * (launch > 2)))),
        ("involuntary_switches", point(watch=lambda launch, round_: Watch(involuntary_switches=int(launch == 0)))),
        ("steal", point(watch=lambda launch, round_: Watch(steal_s=1e-4))),
        ("major_faults", point(watch=lambda launch, round_: Watch(major_faults=int(launch + round_ == 0)))),
        ("never_settled", point(launches=[launch(0, warm_up=WarmUp(settled=False))], samples=point().samples)),
        ("threads_unpinned", point(launches=[launch(0, cores=())], samples=point().samples)),
        ("profiled", point(samples=[replace(point().samples[0], profile=Profile(kernels_us={"gemm": 1.0}))])),
        ("resumed", point(launches=[launch(0, resumed=True)], samples=point().samples)),
        ("output_varies", point(extra={"output_varies": True})),
        ("restarted", point(extra={"restarted": True})),
        ("shared_machine", point(extra={"shared_machine": True})),
    ],
)
def test_each_flag_is_raised_by_what_it_names(flag: str, seen: Any) -> None:
    assert flag in flags(seen)
    assert (assess(seen)[0] == "unstable") == (not UNSTABLE.isdisjoint(flags(seen)))


def test_every_flag_has_a_test() -> None:
    [mark] = [mark for mark in test_each_flag_is_raised_by_what_it_names.pytestmark if mark.name == "parametrize"]
    assert {flag for flag, _ in mark.args[1]} == set(FLAGS)


@pytest.mark.parametrize(
    "seen",
    [
        # one interrupted block in ten, a little steal, a clock that reads low once
        point(watch=lambda launch, round_: Watch(involuntary_switches=int(launch + round_ == 0))),
        point(watch=lambda launch, round_: Watch(steal_s=1e-6)),
        point(watch=lambda launch, round_: Watch(core_ghz=1.0 if (launch, round_) == (1, 0) else 3.0)),
        # a launch that is 3 % off, a drift of 2 %
        point([[1.0, 1.0], [1.0, 1.0], [1.03, 1.03], [1.0, 1.0], [1.0, 1.0]]),
        point([[1.000, 1.002], [1.004, 1.006], [1.008, 1.010], [1.012, 1.014], [1.016, 1.018]]),
    ],
)
def test_small_things_raise_nothing_unstable(seen: Point) -> None:
    assert UNSTABLE.isdisjoint(flags(seen))


@pytest.mark.parametrize(
    ("verdict", "more"),
    [
        ("failed", {"failure": Failure(kind="crash", reason="r")}),
        ("wrong", {"failure": Failure(kind="wrong", reason="r")}),
        ("wrong", {"verification": Verification(verified=False)}),
        ("emulated", {"platform": replace(point().platform, emulator="qemu 7")}),
        ("simulated", {"extra": {"source": "simulated"}}),
        ("imported", {"extra": {"source": "imported"}}),
        ("unverified", {"verification": Verification(verified=None)}),
        ("unstable", {"samples": ()}),
        ("stable", {}),
    ],
)
def test_the_verdict_is_the_first_that_holds(verdict: str, more: dict[str, Any]) -> None:
    assert assess(point(**more))[0] == verdict
    assert VERDICTS.index(verdict) == VERDICTS.index(assess(point(**more))[0])


def test_the_verdict_does_not_depend_on_what_the_point_says_of_itself() -> None:
    assert assess(replace(point(), trust="failed", flags=("drift",))) == ("stable", ())


def test_the_verdict_uses_the_interval_that_tables_show() -> None:
    samples = point([[1.0, 1.1], [1.2, 1.1], [1.05, 1.0]]).samples
    shown = interval(Series.of_samples(samples))
    assert relative_half_width(samples) == pytest.approx((shown.high - shown.low) / 2 / shown.estimate)
    assert relative_half_width(point([[1.0, 2.0]]).samples) is None
