"""Tensors as files: where is settled before anything is measured, and wrong outputs are among them."""

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nntest.errors import DataError, UsageError
from nntest.measure.driver import DriverFailure
from nntest.measure.libraries import FoundLibrary
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from tests.measure.fake_world import FAILURE, FakeWorld, OtherOutput, always, on


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


@pytest.mark.parametrize("writer", ["driver", "numpy"])
def test_a_full_disk_ends_the_session_and_a_resume_repeats_the_case(
    fake: FakeWorld, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    folder = fake.root / "dump"
    request = RunRequest(
        programs="softmax-one",
        dataset_uoa="tensor-softmax-net",
        dataset_files=("shape-8-1-1",),
        timestamp="t",
        dump=folder,
    )
    world = fake.world()
    with monkeypatch.context() as patch:
        if writer == "driver":
            raw = folder / "softmax-one-1.0.0-8-1-1.raw"
            full = DriverFailure(f"softmax-one: {raw}: was written in part: No space left on device")
            fake.faults["softmax-one", "8-1-1"] = always("output", full)
        else:
            patch.setattr("numpy.save", _no_space)
        with pytest.raises(DataError) as error:
            run_session(plan_session(request, world), None, world)
    assert str(error.value) == (
        f"{folder}: the dump could not be written (No space left on device); "
        "free disk space or choose another folder, and resume"
    )
    assert error.value.exit_code == 1
    assert not list(folder.glob("*.raw"))
    assert fake.points() == {}
    fake.faults.clear()
    summary = run_session(plan_session(replace(request, resume=True), world), None, world)
    assert (summary.points, summary.failed, summary.journal.name) == (1, 0, "t.0001.jsonl")
    assert len(list(folder.iterdir())) == 3


def test_an_operator_that_fails_while_it_is_dumped_is_a_failed_point(fake: FakeWorld) -> None:
    fake.faults["softmax-one", "8-1-1"] = on("output", FAILURE)
    world = fake.world()
    request = RunRequest(
        programs="softmax-one",
        dataset_uoa="tensor-softmax-net",
        dataset_files=("shape-8-1-1",),
        timestamp="t",
        dump=fake.root / "dump",
    )
    summary = run_session(plan_session(request, world), None, world)
    assert [point.failure and point.failure.kind for point in summary.results] == ["error"]


@pytest.mark.parametrize(
    ("several", "more"),
    [("flags", {"flags": ("-DA=1", "-DA1")}), ("library", {"library": ("1.0.0", "./mine")}), ("", {})],
)
def test_every_subject_of_a_program_has_files_of_its_own(fake: FakeWorld, several: str, more: dict[str, Any]) -> None:
    world = fake.world()
    if several == "library":  # two builds of one version
        find = world.find_library

        def find_either(name: str, spec: str) -> FoundLibrary:
            found = find(name, "")
            build = "elsewhere" if spec == "./mine" else found.library.build
            return replace(found, library=replace(found.library, build=build))

        world = replace(world, find_library=find_either)
    request = RunRequest(
        programs="softmax-one", dataset_files=("shape-8-1-1",), timestamp="t", dump=fake.root / "dump", **more
    )
    summary = run_session(plan_session(request, world), None, world)
    subjects = {point.subject.id for point in summary.results}
    assert len(subjects) == (2 if several else 1)
    files = list((fake.root / "dump").glob("*.json"))
    assert {json.loads(path.read_bytes())["nntest"]["subject"] for path in files} == subjects
    flags = {path.stem.partition("8-1-1")[2] for path in files}
    assert flags == ({"-DA1"} if several == "flags" else {""})
    names = {path.stem.partition("8-1-1")[0] for path in files}
    assert names == {f"softmax-one-1.0.0-{one[:8]}-" if several else "softmax-one-1.0.0-" for one in subjects}


def _no_space(path: Path, values: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))
