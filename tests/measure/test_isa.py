"""isa_max as a dimension of a session: cases of their own, in processes of their own."""

from typing import Any

import pytest

from nntest.errors import UsageError
from nntest.measure import plan as plan_module
from nntest.measure import processes as processes_module
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, plan_session, run_session
from tests.measure.fake_world import FakeWorld

VARIABLES = {"": {}, "avx2": {"MAX_ISA": "AVX2"}}


@pytest.fixture(autouse=True)
def _one_cpu_can_be_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def environment(library: str, isa_max: str) -> dict[str, str]:
        if isa_max not in VARIABLES or (isa_max and library != "one-cpu"):
            raise UsageError(f"{library}: isa_max {isa_max!r} is unknown")
        return VARIABLES[isa_max]

    for module in (plan_module, processes_module):
        monkeypatch.setattr(module, "isa_environment", environment)


def run(fake: FakeWorld, programs: str, isa_max: tuple[str, ...], **options: Any) -> Summary:
    request = RunRequest(
        programs=programs, dataset_uoa="tensor-softmax-net", dataset_files=("shape-4-1-1",), isa_max=isa_max, **options
    )
    world = fake.world()
    return run_session(plan_session(request, world), None, world)


def test_a_library_is_held_back_in_a_process_of_its_own(fake: FakeWorld) -> None:
    summary = run(fake, "softmax-one", ("", "avx2"), launches=1)
    assert sorted(point.case.isa_max for point in summary.results) == ["", "avx2"]
    assert len({point.case.id for point in summary.results}) == 2
    assert sorted((entry[4] for entry in fake.logged("start")), key=len) == [{}, {"MAX_ISA": "AVX2"}]


def test_variables_of_the_case_win(fake: FakeWorld) -> None:
    run(fake, "softmax-one", ("avx2",), launches=1, env={"MAX_ISA": "SSE41"})
    assert [entry[4] for entry in fake.logged("start")] == [{"MAX_ISA": "SSE41"}]


def test_what_cannot_be_held_back_is_left_out_with_a_word(fake: FakeWorld) -> None:
    request = RunRequest(programs="softmax-*", dataset_uoa="tensor-softmax-net", isa_max=("avx2",))
    plan = plan_session(request, fake.world())
    assert {trial.case.program for trial in plan.trials} == {"softmax-one"}
    assert plan.notes[0] == (
        "softmax-two two-cpu-1.0.0: left out with isa_max avx2, two-cpu: isa_max 'avx2' is unknown"
    )


def test_an_isa_that_no_library_knows_is_refused(fake: FakeWorld) -> None:
    with pytest.raises(UsageError, match="one-cpu: isa_max 'mmx' is unknown"):
        run(fake, "softmax-one", ("mmx",))
