"""Measuring points again: the same cases of the same subjects, in one session."""

from dataclasses import replace

import pytest

from nntest.errors import UsageError
from nntest.measure.again import choose, newest, plan_again
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from nntest.model.point import Point
from nntest.statistics.trust import assess
from tests.measure.fake_world import FakeWorld
from tests.points import make_case, make_point

REQUEST = RunRequest(programs="softmax-*", dataset_uoa="tensor-softmax-net", batch_sizes=(1, 2), timestamp="first")


@pytest.fixture
def points(fake: FakeWorld) -> tuple[Point, ...]:
    world = fake.world()
    return run_session(plan_session(REQUEST, world), None, world).results


def test_cases_and_subjects_are_those_of_the_points(fake: FakeWorld, points: tuple[Point, ...]) -> None:
    world = fake.world()
    chosen = points[1:4]
    plan = plan_again(chosen, RunRequest(timestamp="second"), world)
    again = run_session(plan, None, world).results
    assert {point.uid for point in again} == {point.uid for point in chosen}
    assert {(point.origin.dataset, point.origin.dataset_file) for point in again} == {
        (point.origin.dataset, point.origin.dataset_file) for point in chosen
    }
    assert {point.origin.timestamp for point in again} == {"second"}


def test_what_is_gone_is_left_out_with_a_word(fake: FakeWorld, points: tuple[Point, ...]) -> None:
    fake.missing = {"two-cpu"}
    plan = plan_again(points, RunRequest(), fake.world())
    assert {trial.case.program for trial in plan.trials} == {"softmax-one"}
    assert plan.notes == ("softmax-two two-cpu-1.0.0: left out, two-cpu: not found; install it",)
    strangers = [replace(point, subject=replace(point.subject, program="gone")) for point in points]
    with pytest.raises(UsageError) as caught:
        plan_again(strangers, RunRequest(), fake.world())
    assert str(caught.value) == (
        "rerun: nothing can be measured again; gone one-cpu-1.0.0: left out, there is no such program any more"
    )


def test_points_of_another_target_are_left_out(fake: FakeWorld, points: tuple[Point, ...]) -> None:
    board = replace(points[0], platform=replace(points[0].platform, target="board"))
    plan = plan_again([board, points[1]], RunRequest(), fake.world())
    assert plan.notes == (f"{board.uid}: left out, it ran on board, not on native",)


def test_another_build_is_told(fake: FakeWorld, points: tuple[Point, ...]) -> None:
    library = replace(points[0].subject.library, build="f" * 16)
    older = replace(points[0], subject=replace(points[0].subject, library=library))
    plan = plan_again([older], RunRequest(), fake.world())
    assert len(plan.trials) == 1
    assert plan.notes[0].endswith(": another build of it is measured now")


def test_the_last_measurement_counts() -> None:
    old, new = (make_point(session=name) for name in ("20261120-aa", "20261121-aa"))
    old, new = (
        replace(point, origin=replace(point.origin, timestamp=when)) for point, when in ((old, "1"), (new, "2"))
    )
    assert newest([new, old]) == [new]
    other = make_point(case=make_case(seed=7))
    assert newest([old, other, new]) == [new, other]


def test_verdicts_and_flags_select() -> None:
    point = make_point()
    verdict, flags = assess(point)
    assert choose([point]) == choose([point], trust=[verdict]) == choose([point], flags=flags[:1]) == [point]
    assert choose([point], trust=["stable"]) == choose([point], flags=["resumed"]) == []
