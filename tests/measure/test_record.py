"""How a session's points are filed."""

import json

from nntest.measure.record import experiment_uoa
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from tests.measure.fake_world import FakeWorld


def test_names() -> None:
    assert experiment_uoa("conv-x", "x-cpu-1.0", "word") == "nntest-conv-x-x-cpu-1.0-word"
    assert experiment_uoa("conv-x", "x-cpu-1.0", "word", "mine") == "mine"


def test_entries_are_those_of_ck(fake: FakeWorld) -> None:
    world = fake.world()
    request = RunRequest(programs="softmax-one", dataset_uoa="tensor-softmax-net", timestamp="word")
    run_session(plan_session(request, world), world=world)
    module = fake.root / "local" / "experiment"
    name = "nntest-softmax-one-one-cpu-1.0.0-word"
    uid = (module / ".cm" / f"alias-a-{name}").read_text().strip()
    assert (module / ".cm" / f"alias-u-{uid}").read_text().strip() == name
    meta = json.loads((module / name / ".cm" / "meta.json").read_text())
    assert meta["tags"] == [
        "nntest",
        "softmax-one",
        "one-cpu-1.0.0",
        "2023-11-14T22:30:00+00:00",
        "20231114223000",
        "softmax",
    ]
    assert meta["meta"] == {
        "cmd_key": "default",
        "cpu_name": "Test CPU",
        "dataset_uoa": "tensor-softmax-net",
        "os_name": "Test OS 1",
        "plat_name": "Test Board",
        "prog_uoa": "softmax-one",
        "species": "softmax",
        "timestamp": "word",
        "versions": {"one-cpu-1.0.0": "1.0.0"},
    }


def test_points_say_where_they_come_from(fake: FakeWorld) -> None:
    world = fake.world()
    request = RunRequest(programs="softmax-one", dataset_files=("shape-4-1-1",), timestamp="word")
    [point] = run_session(plan_session(request, world), world=world).results
    origin = point.origin
    assert (origin.dataset, origin.dataset_file, origin.timestamp) == ("tensor-softmax-net", "shape-4-1-1", "word")
    assert (origin.session, origin.group) == ("word.0001", 0)
