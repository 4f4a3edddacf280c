from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.statistics.comparison import Adjustment, Comparison, compare, decide
from nntest.statistics.series import Series
from tests.statistics.simulation import Machine

QUIET = Machine(between=0.005, within=0.005)


def share(machine: Machine, ratio: float, verdict: str, cases: int = 400) -> float:
    pairs = machine.pairs(cases, np.random.default_rng(11), ratio)
    return float(np.mean([compare(a, b).verdict == verdict for a, b in pairs]))


@pytest.mark.parametrize(
    "machine",
    [
        QUIET,
        Machine(between=0.0),
        Machine(between=0.03),
        Machine(disturbed=0.1),
        Machine(drift=0.1),
        Machine(launches=3, rounds=1),
        Machine(launches=10, rounds=1),
        Machine(launches=5, rounds=6),
    ],
    ids=str,
)
def test_equal_subjects_are_rarely_called_different(machine: Machine) -> None:
    # nominal 5 %; 400 pairs have a standard deviation of 1.1 %
    assert share(machine, 1.0, "different") <= 0.072


def test_a_slow_down_of_five_percent_is_found_on_a_quiet_machine() -> None:
    assert share(QUIET, 1.05, "different") >= 0.95


def test_a_disturbed_block_does_not_hide_a_slow_down() -> None:
    assert share(Machine(between=0.003, within=0.003, disturbed=0.05), 1.05, "different") >= 0.85


def test_the_smallest_effect_that_could_be_found_is_found_about_as_often_as_said() -> None:
    pairs = QUIET.pairs(300, np.random.default_rng(12), 1.0)
    typical = 1 + np.median([compare(a, b).mde_pct for a, b in pairs]) / 100
    assert 0.80 <= share(QUIET, float(typical), "different") <= 1.0


def test_equivalence_needs_precision() -> None:
    precise = Machine(between=0.001, within=0.001)
    assert share(precise, 1.0, "equivalent") >= 0.95
    assert share(precise, 1.02, "equivalent") == 0.0
    assert share(Machine(between=0.05), 1.0, "equivalent") == 0.0


def test_equal_values_from_a_coarse_clock_are_equivalent() -> None:
    series = Series.of([1.0] * 5)
    assert compare(series, series).verdict == "equivalent"


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ([1.0, np.nan], [1.0, 2.0], "first: 1 of 2 values are not positive numbers"),
        ([1.0, 2.0], [], "second: no values"),
        ([1.0], [9.0, 9.1], "fewer than two launches; measure with --launches=5"),
    ],
)
def test_an_error_is_undecided_with_its_reason(first: list[float], second: list[float], reason: str) -> None:
    comparison = compare(Series.of(first), Series.of(second))
    assert (comparison.verdict, comparison.reason) == ("undecided", reason)
    assert np.isnan(comparison.p_value)


def test_rounds_of_different_sessions_are_not_paired() -> None:
    (a, b), *_ = QUIET.pairs(1, np.random.default_rng(1), 1.0)
    other = replace(b, keys=tuple(("other", launch, turn) for _, launch, turn in b.keys))
    assert compare(a, b).paired
    assert not compare(a, other).paired


def test_pairing_removes_what_the_machine_did_to_both() -> None:
    (a, b), *_ = Machine(drift=0.1).pairs(1, np.random.default_rng(1), 1.0)
    other = replace(b, keys=tuple(("other", launch, turn) for _, launch, turn in b.keys))
    assert compare(a, b).mde_pct < compare(a, other).mde_pct / 2


times = st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=8)


@given(times, times)
def test_comparison_is_antisymmetric(first: list[float], second: list[float]) -> None:
    forward, backward = compare(Series.of(first), Series.of(second)), compare(Series.of(second), Series.of(first))
    assert forward.verdict == backward.verdict
    assert forward.ratio == pytest.approx(1 / backward.ratio)
    assert forward.p_value == pytest.approx(backward.p_value)
    assert forward.mde_pct == pytest.approx(backward.mde_pct)


@pytest.mark.parametrize("adjustment", ["holm", "fdr"])
def test_a_family_of_equal_subjects_rarely_has_even_one_different(adjustment: Adjustment) -> None:
    pairs = Machine().pairs(1000, np.random.default_rng(13), 1.0)
    alone = [compare(a, b) for a, b in pairs]
    families = [alone[start : start + 20] for start in range(0, 1000, 20)]
    some = [any(item.verdict == "different" for item in decide(family, adjustment)) for family in families]
    assert any(item.verdict == "different" for item in alone)
    assert np.mean(some) <= 0.1


def p_values(items: list[Comparison]) -> list[float]:
    return [round(item.p_value, 6) for item in items]


def test_adjusted_p_values_of_a_worked_example() -> None:
    (a, b), *_ = Machine().pairs(1, np.random.default_rng(1), 1.0)
    model = replace(compare(a, b), p_equivalent=1.0)
    family = [replace(model, p_value=p) for p in (0.01, 0.04, 0.03)] + [compare(a, Series.of([]))]
    assert p_values(decide(family, "holm")[:3]) == [0.03, 0.06, 0.06]
    assert p_values(decide(family, "fdr")[:3]) == [0.03, 0.04, 0.04]
    assert [item.verdict for item in decide(family, "holm")] == ["different", "undecided", "undecided", "undecided"]
    assert p_values(decide(family, "none")[:3]) == [0.01, 0.04, 0.03]
