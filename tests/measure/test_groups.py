"""Groups hold whole shapes within their limits."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.measure.groups import MAX_BYTES, MAX_TRIALS, estimate_bytes, form_groups, make_group, round_order
from nntest.measure.libraries import FoundLibrary
from nntest.measure.selection import Shape
from nntest.measure.trial import Candidate, Trial
from nntest.model.case import Case, Library, Plan
from nntest.store.entries import ProgramEntry

PLAN = Plan(repetitions=10, launches=5)


def candidate(name: str) -> Candidate:
    program = ProgramEntry(uoa=name, uid="", path=Path(), meta={}, tags=(), repository="")
    return Candidate(program=program, library=FoundLibrary(library=Library(tag="one-1", name="one", version="1")))


def trial(channels: int, program: str = "p", **more: Any) -> Trial:
    parameters = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": 1, "CK_IN_SHAPE_W": 1}
    shape = Shape(species="softmax", dataset="d", dataset_file="f", parameters=parameters, batch_size=1)
    case = Case(program=program, species="softmax", parameters=parameters, **more)
    return Trial(candidate=candidate(program), case=case, shape=shape)


@given(st.lists(st.integers(1, 40), max_size=200))
def test_every_trial_is_in_one_group_and_shapes_stay_whole(channels: list[int]) -> None:
    trials = [trial(count) for count in channels]
    groups = form_groups(trials, PLAN)
    assert Counter(id(one) for group in groups for one in group.trials) == Counter(map(id, trials))
    assert [group.number for group in groups] == list(range(len(groups)))
    homes: dict[str, set[int]] = {}
    for group in groups:
        for one in group.trials:
            homes.setdefault(one.shape.name, set()).add(group.number)
        assert len(group.trials) <= MAX_TRIALS or len({one.shape.name for one in group.trials}) == 1
    assert all(len(home) == 1 for home in homes.values())


def test_memory_divides_groups() -> None:
    large = [trial(MAX_BYTES // 50 + number) for number in range(3)]
    assert sum(map(estimate_bytes, large)) > MAX_BYTES
    groups = form_groups(large, PLAN)
    assert len(groups) > 1
    assert all(sum(map(estimate_bytes, group.trials)) <= MAX_BYTES for group in groups)


def test_long_shapes_stand_alone() -> None:
    long = [trial(30_000_000 + number) for number in range(2)]
    slow = Plan(repetitions=1000, launches=5)
    assert [len(group.trials) for group in form_groups(long, slow)] == [1, 1]


@pytest.mark.parametrize("other", [{"seed": 2}, {"launch": 1}, {"round_": 1}])
def test_each_round_has_its_own_order(other: dict[str, int]) -> None:
    group = make_group(0, [trial(count) for count in range(1, 20)], PLAN)
    usual = {"seed": 1, "launch": 0, "round_": 0}
    first, again, different = (round_order(group, **{**usual, **one}) for one in ({}, {}, other))
    assert first == again
    assert first != different
    assert set(first) == set(different) == set(group.trials)


def test_what_is_compared_stands_side_by_side() -> None:
    members = [trial(count, program) for count in range(1, 6) for program in ("a", "b") for _build in range(3)]
    group = make_group(0, members, PLAN)
    order = round_order(group, seed=1, launch=0, round_=0)
    assert sorted(map(id, order)) == sorted(map(id, members))
    runs = [one.case.id for one, before in zip(order[1:], order[:-1], strict=True) if one.case.id != before.case.id]
    assert len(runs) == 9  # ten cases, each in one piece
    shapes = [one.shape.key for one, before in zip(order[1:], order[:-1], strict=True) if one.shape != before.shape]
    assert len(shapes) == 4
