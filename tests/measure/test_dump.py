"""Tensors as files: where is settled before anything is measured, and wrong outputs are among them."""

from pathlib import Path

import pytest

from nntest.errors import UsageError
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from tests.measure.fake_world import FakeWorld, OtherOutput, always


def test_a_folder_that_cannot_be_made_ends_the_session_before_it_begins(fake: FakeWorld, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "tensors"
    world = fake.world()
    request = RunRequest(programs="softmax-*", dataset_uoa="tensor-softmax-net", timestamp="t", dump=folder)
    with pytest.raises(UsageError) as refusal:
        run_session(plan_session(request, world), None, world)
    assert str(refusal.value) == f"dump: {folder} cannot be made (Not a directory); choose another folder"
    assert not fake.log


def test_a_wrong_output_is_dumped_too(fake: FakeWorld) -> None:
    fake.faults["softmax-one", "8-1-1"] = always("setup", OtherOutput(5.0))
    world = fake.world()
    request = RunRequest(
        programs="softmax-one",
        dataset_uoa="tensor-softmax-net",
        dataset_files=("shape-8-1-1",),
        timestamp="t",
        dump=fake.root / "dump",
    )
    summary = run_session(plan_session(request, world), None, world)
    assert [point.trust for point in summary.results] == ["wrong"]
    assert (fake.root / "dump" / "softmax-one-1.0.0-8-1-1-output.npy").is_file()
