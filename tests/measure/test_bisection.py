"""Halving a range of versions: few measurements, and honest where they do not decide."""

from collections.abc import Callable

import pytest

from nntest.errors import UsageError
from nntest.measure.bisection import Judge, Step, Verdict, bisect, versions_between
from nntest.measure.request import RunRequest
from nntest.measure.session import run_session
from tests.measure.fake_world import FakeWorld

VERSIONS = [str(number) for number in range(17)]


def judging(verdict: Callable[[int], Verdict]) -> Callable[[str], Step]:
    return lambda version: Step(version=version, verdict=verdict(int(version)), ratio=1.1)


@pytest.mark.parametrize("first_bad", range(1, 17))
def test_the_first_bad_version_is_found_in_few_steps(first_bad: int) -> None:
    seen: list[Step] = []
    found = bisect(VERSIONS, judging(lambda number: "bad" if number >= first_bad else "good"), seen.append)
    assert (found.last_good, found.first_bad, found.undecided) == (str(first_bad - 1), str(first_bad), ())
    assert list(found.steps) == seen
    assert len(seen) <= 5


def test_what_is_undecided_is_passed_over() -> None:
    def verdict(number: int) -> Verdict:
        return "undecided" if number in {8, 9, 10} else "bad" if number >= 10 else "good"

    found = bisect(VERSIONS, judging(verdict), lambda _: None)
    assert (found.last_good, found.first_bad, found.undecided) == ("7", "11", ("8", "9", "10"))


@pytest.mark.parametrize("verdict", ["good", "undecided"])
def test_the_last_version_has_to_be_bad(verdict: Verdict) -> None:
    with pytest.raises(UsageError) as caught:
        bisect(VERSIONS, judging(lambda _: verdict), lambda _: None)
    assert str(caught.value) == (
        f"bisect: 16 is not shown to be slower than 0 by more than the limit ({verdict}, 1.100 of its time); "
        "choose another case, a smaller --limit or more --launches"
    )


def test_ranges_run_from_good_to_bad() -> None:
    offered = ["3", "2", "1", "0"]
    assert versions_between(offered, "0", "2") == ["0", "1", "2"]
    assert versions_between(offered, "3", "1") == ["3", "2", "1"]
    with pytest.raises(UsageError, match="bisect: 9 is not offered; expected one of 3, 2, 1, 0"):
        versions_between(offered, "0", "9")
    with pytest.raises(UsageError, match="bisect: 1 was given twice; expected a good version and a bad one"):
        versions_between(offered, "1", "1")


def test_versions_are_measured_against_the_good_one(fake: FakeWorld) -> None:
    sessions = []

    def measure(plan: object, world: object) -> object:
        sessions.append(plan)
        return run_session(plan, None, world).results  # type: ignore[arg-type]

    base = RunRequest(
        programs="softmax-one", dataset_uoa="tensor-softmax-net", repetitions=10, launches=5, no_record=True
    )
    judge = Judge(
        "1.0", base, fake.world(), limit=0.05, prefix_of=lambda version: f"one-cpu-{version}", measure=measure  # type: ignore[arg-type]
    )  # fmt: skip
    step = judge("2.0")
    assert (step.version, step.verdict) == ("2.0", "good")
    assert step.ratio == pytest.approx(1.0)
    assert [candidate.library.library.version for candidate in sessions[0].candidates] == ["1.0", "2.0"]  # type: ignore[attr-defined]
