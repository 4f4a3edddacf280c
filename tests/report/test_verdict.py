from nntest.report.verdict import sentences, winners
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
