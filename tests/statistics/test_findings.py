"""Every flag comes with its evidence and with advice."""

from dataclasses import replace

import pytest

from nntest.model.point import Failure, Point, Verification, Watch
from nntest.statistics.findings import EXPLAINED, explain, verdict_reason
from nntest.statistics.trust import FLAGS, UNSTABLE, VERDICTS, assess
from tests.points import make_platform, make_point

GOOD = make_point()


def flat(point: Point = GOOD) -> Point:
    """Return the point with equal samples, of which nothing can be said."""
    return replace(point, samples=tuple(replace(one, seconds=one.loops * 1e-3) for one in point.samples))


def test_every_flag_is_explained() -> None:
    assert set(FLAGS) == EXPLAINED


def test_evidence_names_the_numbers_that_raised_the_flag() -> None:
    verdict, findings = explain(GOOD)  # samples of 100 us, 200 us, ...
    assert (verdict, {one.flag for one in findings}) == (assess(GOOD)[0], set(assess(GOOD)[1]))
    assert all(one.evidence and one.advice for one in findings)
    wide = next(one for one in findings if one.flag == "wide_interval")
    assert wide.evidence.startswith("the 95 % interval is the median +- ")
    assert wide.evidence.endswith("; at most 5 % is stable")
    decisive = [one.decisive for one in findings]
    assert decisive == sorted(decisive, reverse=True)
    assert all(one.decisive == (one.flag in UNSTABLE) for one in findings)


def test_a_clock_that_moved() -> None:
    samples = [
        replace(one, watch=Watch(core_ghz=4.0 if one.launch else 2.0, involuntary_switches=3)) for one in flat().samples
    ]
    found = {one.flag: one.evidence for one in explain(replace(flat(), samples=tuple(samples)))[1]}
    assert found["frequency_changed"] == "between launches the core ran at 2.00 to 4.00 GHz; 5 % apart is the limit"
    assert found["involuntary_switches"] == (
        "30 times something else took the core, in 10 of 10 blocks; up to 10 % of the blocks are passed over"
    )


def test_a_launch_apart() -> None:
    samples = [replace(one, seconds=one.seconds * (2 if one.launch == 3 else 1)) for one in flat().samples]
    found = {one.flag: one.evidence for one in explain(replace(flat(), samples=tuple(samples)))[1]}
    assert found["outlier_launch"] == (
        "launch 3 took 2.00 ms, the launches' median is 1.00 ms (+100.0 %; 5 % is the limit)"
    )


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (replace(GOOD, failure=Failure(kind="crash", reason="signal 11"), samples=()), "crash: signal 11"),
        (replace(GOOD, verification=Verification(verified=False, reason="output[0] is 1")), "output[0] is 1"),
        (replace(GOOD, verification=Verification(verified=None)), "its output was not compared with a reference"),
        (
            replace(GOOD, platform=make_platform(emulator="qemu")),
            "it ran in qemu: its time says nothing about the processor it imitates",
        ),
        (replace(GOOD, samples=(), launches=()), "it has no samples"),
    ],
)
def test_what_no_flag_says(point: Point, reason: str) -> None:
    assert verdict_reason(point, assess(point)[0]) == reason


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_words(verdict: str) -> None:
    assert isinstance(verdict_reason(GOOD, verdict), str)
