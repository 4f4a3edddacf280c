"""Twins: the same program twice, by the statistics of every comparison."""

import pytest

from nntest.errors import MissingPartError
from nntest.measure import noise
from nntest.measure.noise import TWINS, noise_of, plan_noise
from nntest.measure.session import run_session
from tests.measure.fake_world import FAILURE, FakeWorld, always

SHAPES = ("4-1-1", "8-1-1", "16-1-1")


@pytest.fixture(autouse=True)
def _programs_of_the_fake_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "_PROGRAMS", ("softmax-one", "softmax-gone", "softmax-two"))
    monkeypatch.setattr(noise, "_DATASETS", "tensor-softmax-net")
    monkeypatch.setattr(noise, "_FILES", ("shape-4-1-1", "shape-8-1-1", "shape-16-1-1"))


def test_twins_are_built_apart_and_nothing_is_recorded(fake: FakeWorld) -> None:
    fake.missing = {"two-cpu"}
    plan = plan_noise(fake.world())
    assert {candidate.flags for candidate in plan.candidates} == {TWINS.a, TWINS.b}
    assert {candidate.program.uoa for candidate in plan.candidates} == {"softmax-one"}
    assert plan.request.no_record
    assert len(plan.trials) == 2 * len(SHAPES)


def test_a_machine_without_noise_shows_everything(fake: FakeWorld) -> None:
    world = fake.world()
    found = noise_of(run_session(plan_noise(world), None, world).results, world)
    assert (found.compared, found.alarms, found.bias_pct) == (6, 0, 0.0)
    assert found.smallest_pct <= found.worst_pct < 0.1


def test_a_noisy_machine_shows_less(fake: FakeWorld) -> None:
    fake.call_s = lambda case: 1e-4 * (1 + 0.1 * ((fake.clock() * 7919) % 1))
    world = fake.world()
    found = noise_of(run_session(plan_noise(world), None, world).results, world)
    assert 1 < found.smallest_pct <= found.worst_pct < 30


def test_nothing_to_measure_says_why(fake: FakeWorld) -> None:
    world = fake.world()
    for shape in SHAPES:
        for program in ("softmax-one", "softmax-two"):
            fake.faults[program, shape] = always("setup", FAILURE)
    with pytest.raises(MissingPartError, match="noise: no case could be measured; "):
        noise_of(run_session(plan_noise(world), None, world).results, world)
    fake.missing = {"one-cpu", "two-cpu"}
    with pytest.raises(MissingPartError, match="noise: none of softmax-one, softmax-gone, softmax-two is there; "):
        plan_noise(fake.world())
