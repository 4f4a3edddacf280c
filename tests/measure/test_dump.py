"""Where tensors are dumped is settled before anything is measured."""

from pathlib import Path

import pytest

from nntest.errors import UsageError
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from tests.measure.fake_world import FakeWorld


def test_a_folder_that_cannot_be_made_ends_the_session_before_it_begins(fake: FakeWorld, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "tensors"
    world = fake.world()
    request = RunRequest(programs="softmax-*", dataset_uoa="tensor-softmax-net", timestamp="t", dump=folder)
    with pytest.raises(UsageError) as refusal:
        run_session(plan_session(request, world), None, world)
    assert str(refusal.value) == f"dump: {folder} cannot be made (Not a directory); choose another folder"
    assert not fake.log
