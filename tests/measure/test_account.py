"""Where time went: sums by category, the rest to the harness."""

import pytest

from nntest.measure.account import Account
from tests.measure.fake_world import FakeClock


def test_the_harness_has_what_no_category_took() -> None:
    clock = FakeClock()
    account = Account(clock)
    with account.on("a"):
        clock.pass_time(1.0)
        with account.spending("start"):
            clock.pass_time(2.0)
        account.add("timed", 4.0)
        clock.pass_time(4.0)
    with account.on("a", "b"):
        clock.pass_time(1.0)
    clock.pass_time(8.0)
    assert account.harness_by_point_s == {"a": 1.5, "b": 0.5}
    totals = account.totals()
    assert (totals["start"], totals["timed"], totals["harness"], totals["session"]) == (2.0, 4.0, 10.0, 16.0)


def test_time_counts_although_something_fails() -> None:
    clock = FakeClock()
    account = Account(clock)
    with pytest.raises(ValueError, match="x"), account.on("a"), account.spending("build"):
        clock.pass_time(3.0)
        raise ValueError("x")
    assert account.totals()["build"] == 3.0
    assert account.harness_by_point_s == {"a": 0.0}


def test_only_the_first_sample_is_remembered() -> None:
    clock = FakeClock()
    account = Account(clock)
    assert "first_sample" not in account.totals()
    for _ in range(2):
        clock.pass_time(1.0)
        account.sampled()
    assert account.totals()["first_sample"] == 1.0
