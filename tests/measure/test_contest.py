"""Two sides of one session: how they are named, joined and judged."""

from dataclasses import replace
from typing import Any

import pytest

from nntest.errors import UsageError
from nntest.measure.contest import Bout, Sides, check_plan, contest, parse_sides, request_of
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from tests.measure.fake_world import FAILURE, FakeWorld, always

BASE = RunRequest(programs="softmax-one", dataset_uoa="tensor-softmax-net", repetitions=20, launches=10)


def bouts(fake: FakeWorld, first: str, second: str, base: RunRequest = BASE, **options: Any) -> list[Bout]:
    world = fake.world()
    sides = parse_sides(first, second, world)
    plan = plan_session(request_of(sides, base), world)
    check_plan(plan, sides, world)
    return contest(run_session(plan, None, world).results, sides, world, **options)


@pytest.mark.parametrize(
    ("first", "second", "sides"),
    [
        ("softmax-one", "softmax-two", Sides(kind="program", a="softmax-one", b="softmax-two")),
        ("one-cpu-3.2.0", "/own/build", Sides(kind="library", a="one-cpu-3.2.0", b="/own/build")),
        ("-O2", "flags=-O3 -mavx2", Sides(kind="flags", a="-O2", b="-O3 -mavx2")),
        ("isa_max=native", "isa-max=avx2", Sides(kind="isa_max", a="", b="avx2")),
    ],
)
def test_sides_by_name(fake: FakeWorld, first: str, second: str, sides: Sides) -> None:
    assert parse_sides(first, second, fake.world()) == sides


def test_sides_that_cannot_be_compared(fake: FakeWorld) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sides("softmax-one", "3.2.0", fake.world())
    assert str(caught.value) == (
        "ab: softmax-one is a program, 3.2.0 a library; expected two of one kind; "
        "KIND=VALUE says which is meant (program, library, flags, isa_max)"
    )
    with pytest.raises(UsageError, match=r"ab: 3\.2\.0 was given twice; expected two different sides"):
        parse_sides("3.2.0", "library=3.2.0", fake.world())
    with pytest.raises(UsageError, match="ab: no program was named; say which one is measured with both flags"):
        request_of(Sides(kind="flags", a="", b="-O2"), RunRequest(programs=""))


def test_a_side_without_a_case_is_told_before_anything_runs(fake: FakeWorld) -> None:
    with pytest.raises(UsageError, match="ab: reorder-one gives no case to compare; reorder-one: left out"):
        bouts(fake, "softmax-one", "reorder-one")
    assert fake.logged("build") == []


def test_programs_are_joined_by_what_is_asked_of_them(fake: FakeWorld) -> None:
    fake.call_s = lambda case: 1e-4 if case.program == "softmax-one" else 1.2e-4
    found = bouts(fake, "softmax-one", "softmax-two")
    assert len(found) == 3
    assert all(bout.a is not None and bout.a.case.program == "softmax-one" for bout in found)
    assert all(bout.b is not None and bout.b.case.program == "softmax-two" for bout in found)
    assert all(bout.comparison is not None and bout.comparison.ratio == pytest.approx(1.2) for bout in found)
    assert all(bout.comparison is not None and bout.comparison.paired for bout in found)


def test_versions_and_flags_are_told_apart(fake: FakeWorld) -> None:
    for first, second in (("1.0.0", "one-cpu-2.0.0"), ("-O2", "-O3")):
        found = bouts(fake, first, second)
        assert len(found) == 3
        assert all(bout.a is not None and bout.b is not None for bout in found)
        assert all(bout.a.uid != bout.b.uid for bout in found if bout.a and bout.b)


def test_the_limit_sets_gates(fake: FakeWorld) -> None:
    fake.call_s = lambda case: 1e-4 if case.program == "softmax-one" else 1.2e-4 * (1 + 1e-6 * (fake.clock() % 1))
    assert {bout.gate for bout in bouts(fake, "softmax-one", "softmax-two")} == {""}
    assert {bout.gate for bout in bouts(fake, "softmax-one", "softmax-two", limit=0.1)} == {"slower"}
    assert {bout.gate for bout in bouts(fake, "softmax-one", "softmax-two", limit=0.5)} == {"passed"}


def test_a_failure_of_b_alone_does_not_pass(fake: FakeWorld) -> None:
    fake.faults["softmax-two", "4-1-1"] = always("setup", FAILURE)
    found = bouts(fake, "softmax-one", "softmax-two", limit=0.5)
    failed = [bout for bout in found if bout.comparison is None]
    assert [bout.gate for bout in failed] == ["slower"]
    swapped = bouts(fake, "softmax-two", "softmax-one", replace(BASE, timestamp="again"), limit=0.5)
    assert [bout.gate for bout in swapped if bout.comparison is None] == [""]
