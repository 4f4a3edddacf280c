import pytest

from nntest.report.verdict import Winner, sentences, trust_sentence, winners
from tests.analyses.frames import repetitions, typed

TEN = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0, 101.0, 99.0, 100.0]


def test_a_clear_lead_is_sure() -> None:
    points = typed(repetitions(TEN) + repetitions([2 * t for t in TEN], program="conv-plain-cpu", library="plain-cpu"))
    (winner,) = winners(points)
    assert (winner.program, winner.runner_up, winner.factor, winner.verdict) == (
        "conv-onednn-cpu", "conv-plain-cpu", "2.00x", "different",
    )  # fmt: skip
    assert winner.time == "100 us"
    assert sentences([winner]) == ["conv: oneDNN 3.2.0 is fastest on the only one (sure)."]


def test_a_lead_within_the_noise_is_undecided_and_a_tie_is_a_tie() -> None:
    noisy = [t * f for t, f in zip(TEN, [1.0, 1.3, 0.8, 1.2, 0.7, 1.4, 0.9, 1.1, 1.0, 0.75], strict=True)]
    points = typed(
        repetitions(TEN, shape="a") + repetitions(noisy, shape="a", program="p", library="q")
        + repetitions(TEN, shape="b") + repetitions([t * 1.0001 for t in TEN], shape="b", program="p", library="q")
        + repetitions(TEN, shape="c")
    )  # fmt: skip
    assert [(winner.shape, winner.verdict) for winner in winners(points)] == [
        ("a", "undecided"), ("b", "equivalent"), ("c", "alone"),
    ]  # fmt: skip


def test_nobody_leads_where_shared_rounds_say_the_contrary_of_the_medians() -> None:
    # in the two rounds of a launch that both have the first is slower, and in its other three it is faster
    mixed = [110.0 + 0.1 * launch if number < 2 else 90.0 for launch in range(5) for number in range(5)]
    other = repetitions([100.0 + 0.1 * number for number in range(10)], program="p", library="q")
    (winner,) = winners(typed(repetitions(mixed) + other))
    assert (winner.program, winner.time, winner.verdict) == ("conv-onednn-cpu", "90.0 us", "undecided")


NOISY = [t * f for t, f in zip(TEN, [1.0, 1.3, 0.8, 1.2, 0.7, 1.4, 0.9, 1.1, 1.0, 0.75], strict=True)]


def _undecided(shapes: str, told: str = "") -> list[Winner]:
    rows = [
        item
        for shape in shapes
        for item in repetitions(TEN, shape=shape) + repetitions(NOISY, shape=shape, program="p", library="q")
    ]
    return winners(typed(rows + [item for shape in told for item in repetitions(TEN, shape=shape)]))


@pytest.mark.parametrize(
    ("shapes", "told", "sentence"),
    [
        ("a", "", "conv: the two fastest are not told apart."),
        ("ab", "", "conv: the two fastest are not told apart on any of 2 shapes."),
        (
            "ab",
            "c",
            "conv: oneDNN 3.2.0 is fastest on 1 of 3 shapes (unopposed); the two fastest are not told apart on 2 of 3.",
        ),
    ],
)
def test_nobody_wins_what_is_not_told_apart(shapes: str, told: str, sentence: str) -> None:
    assert sentences(_undecided(shapes, told)) == [sentence]


@pytest.mark.parametrize(
    ("trust", "sentence"),
    [
        ({"unstable": 14}, "None of the 14 cases is stable; differences below are indications."),
        ({"unstable": 1}, "The only case is not stable; differences below are indications."),
        (
            {"unstable": 3, "imported": 2},
            "3 of 5 cases are not stable, and of the other 2 it is not known; differences below are indications.",
        ),
        (
            {"imported": 1, "unstable": 1},
            "1 of 2 cases is not stable, and of the other it is not known; differences below are indications.",
        ),
        ({"unstable": 13, "stable": 1}, ""),
        # what other tools watched is not known
        ({"imported": 3}, ""),
        ({}, ""),
    ],
)
def test_that_nothing_is_stable_is_said(trust: dict[str, int], sentence: str) -> None:
    assert trust_sentence(trust) == sentence


def test_words_count_and_qualify() -> None:
    points = typed(
        [item for shape in "ab" for item in repetitions(TEN, shape=shape)]
        + repetitions([t / 2 for t in TEN], shape="b", program="p", library="openblas-cpu")
    )
    assert sentences(winners(points)) == [
        "conv: oneDNN 3.2.0 is fastest on 1 of 2 shapes (unopposed) and OpenBLAS on 1 (sure)."
    ]


def test_no_rows_no_words() -> None:
    assert winners(typed([])) == []
    assert sentences([]) == []
