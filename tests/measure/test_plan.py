"""Plans: what a request selects, what it leaves out with a word, and what it refuses before anything runs."""

import json
from dataclasses import replace
from typing import Any

import pytest

from nntest.errors import DataError, MissingPartError, UsageError
from nntest.measure.libraries import LIBRARY_NAMES, find_library
from nntest.measure.plan import SessionPlan, plan_session
from nntest.measure.request import RunRequest
from tests.measure.fake_world import FakeWorld


def plan(fake: FakeWorld, **options: Any) -> SessionPlan:
    return plan_session(RunRequest(**options), fake.world())


def names(made: SessionPlan) -> list[str]:
    return [trial.name for trial in made.trials]


def test_a_program_meets_all_datasets_of_its_species(fake: FakeWorld) -> None:
    shapes = ("4-1-1", "8-1-1", "16-1-1", "32-2-2")
    assert names(plan(fake, programs="softmax-one")) == [f"softmax-one one-cpu-1.0.0 {shape}" for shape in shapes]


@pytest.mark.parametrize(
    "pattern",
    [
        "softmax-*",
        "nntest:softmax-*",
        "softmax-one,softmax-two",
        "softmax-one softmax-two",
        " softmax-one,\tnntest:softmax-two, ",
        "*max-*",
    ],
)
def test_names_are_patterns_and_lists(fake: FakeWorld, pattern: str) -> None:
    made = plan(fake, programs=pattern, dataset_files=("shape-4-1-1",))
    assert names(made) == ["softmax-one one-cpu-1.0.0 4-1-1", "softmax-two two-cpu-1.0.0 4-1-1"]


def test_programs_of_another_species_drop_out_with_a_word(fake: FakeWorld) -> None:
    made = plan(fake, dataset_uoa="tensor-softmax-net")
    assert {candidate.program.uoa for candidate in made.candidates} == {"softmax-one", "softmax-two"}
    assert made.notes == ("reorder-one: left out, tensor-softmax-net has no shape of species reorder",)


def test_tags_are_those_of_the_entry_and_of_its_target(fake: FakeWorld) -> None:
    made = plan(fake, programs="softmax-*", tags="cpu,two-cpu", dataset_files=("shape-4-1-1",))
    assert names(made) == ["softmax-two two-cpu-1.0.0 4-1-1"]


@pytest.mark.parametrize("name", ["shape-4-1-1", "shape-4-1-1.json", "shape-4-*"])
def test_files_are_named_with_or_without_ending(fake: FakeWorld, name: str) -> None:
    assert len(plan(fake, programs="softmax-one", dataset_files=(name,)).trials) == 1


def test_environment_changes_shapes_seed_and_programs(fake: FakeWorld) -> None:
    env = {"CK_IN_SHAPE_H": "3", "CK_SEED": "9", "ONEDNN_VERBOSE": "1"}
    [trial] = plan(fake, programs="softmax-one", dataset_files=("shape-4-1-1",), env=env).trials
    assert trial.shape.name == "4-3-1"
    assert trial.case.seed == 9
    assert trial.case.env == {"ONEDNN_VERBOSE": "1"}


def test_fused_operations_make_cases_of_their_own(fake: FakeWorld) -> None:
    made = plan(fake, programs="softmax-one", dataset_files=("shape-4-1-1",), post_ops=("", "sum+relu"))
    assert names(made) == ["softmax-one one-cpu-1.0.0 4-1-1", "softmax-one one-cpu-1.0.0 4-1-1 fused sum+relu"]
    assert [trial.case.post_ops for trial in made.trials] == ["", "sum+relu"]
    assert len({trial.case.id for trial in made.trials}) == 2


def test_types_make_cases_of_their_own(fake: FakeWorld) -> None:
    made = plan(fake, programs="softmax-one", dataset_files=("shape-4-1-1",), dtype=("float32", "uint8"))
    assert names(made) == ["softmax-one one-cpu-1.0.0 4-1-1", "softmax-one one-cpu-1.0.0 4-1-1 uint8"]
    [floats, whole] = [trial.case for trial in made.trials]
    assert floats.id == plan(fake, programs="softmax-one", dataset_files=("shape-4-1-1",)).trials[0].case.id
    assert (floats.quantisation, whole.quantisation["output"].scale) == ({}, 2**-8)


def test_a_tag_of_another_library_says_nothing_to_a_program(fake: FakeWorld) -> None:
    made = plan(fake, programs="softmax-*", library=("two-cpu-3.1",), dataset_files=("shape-4-1-1",))
    assert names(made) == ["softmax-two two-cpu-3.1 4-1-1"]
    assert made.notes == ("softmax-one: left out, --library=two-cpu-3.1 is no one-cpu",)


def test_versions_are_candidates_of_one_session(fake: FakeWorld) -> None:
    made = plan(fake, programs="softmax-one", library=("1.1.0", "one-cpu-1.2.0", "1.1.0"))
    assert [candidate.library.library.tag for candidate in made.candidates] == ["one-cpu-1.1.0", "one-cpu-1.2.0"]
    assert {trial.candidate.library.library.version for trial in made.groups[0].trials} == {"1.1.0", "1.2.0"}


def test_a_program_runs_only_with_the_versions_that_it_is_written_for(fake: FakeWorld) -> None:
    meta = fake.root / "repository" / "program" / "softmax-one" / ".cm" / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "library_version": "2.*"}))
    assert plan(fake, programs="softmax-one", library=("2.6.3",)).candidates
    with pytest.raises(MissingPartError) as caught:
        plan(fake, programs="softmax-one", library=("3.2.0",))
    assert str(caught.value) == (
        "softmax-one: it is written for one-cpu 2.*, not 3.2.0; choose another version from `nntest list libraries`"
    )
    made = plan(fake, programs="softmax-*", library=("3.2.0",))
    assert [candidate.program.uoa for candidate in made.candidates] == ["softmax-two"]
    assert made.notes[0].startswith("softmax-one: left out, softmax-one: it is written for one-cpu 2.*")


def test_a_folder_needs_to_hold_the_library_of_one_program_only(fake: FakeWorld) -> None:
    fake.missing = {"two-cpu"}
    made = plan(fake, programs="softmax-one,softmax-two", library=("/own/build",))
    assert [candidate.program.uoa for candidate in made.candidates] == ["softmax-one"]
    assert made.notes[0] == "softmax-two: left out, two-cpu: not found; install it"
    fake.missing = {"one-cpu", "two-cpu"}
    with pytest.raises(MissingPartError, match="one-cpu: not found"):
        plan(fake, programs="softmax-one,softmax-two", library=("/own/build",))


def test_a_missing_library_ends_what_was_asked_for_by_name(fake: FakeWorld) -> None:
    fake.missing = {"one-cpu"}
    with pytest.raises(MissingPartError, match="one-cpu: not found; install it"):
        plan(fake, programs="softmax-one,softmax-two")
    made = plan(fake, programs="softmax-*", dataset_files=("shape-4-1-1",))
    assert names(made) == ["softmax-two two-cpu-1.0.0 4-1-1"]
    assert made.notes == ("softmax-one: left out, one-cpu: not found; install it",)


def test_planning_builds_and_runs_nothing(fake: FakeWorld) -> None:
    plan(fake)
    assert fake.log == []
    assert not (fake.root / "cache").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"programs": "softmx-one"},
            "softmx-one: no program of that name was found; did you mean softmax-one?",
        ),
        (
            {"programs": "zzz"},
            "zzz: no program of that name was found; see `nntest list programs`",
        ),
        (
            {"dataset_uoa": "tensor-softmax-nett"},
            "tensor-softmax-nett: no dataset of that name was found; did you mean tensor-softmax-net?",
        ),
        (
            {"programs": "softmax-one", "dataset_files": ("shape-4-1-2",)},
            "shape-4-1-2: no dataset_file of that name was found; did you mean shape-4-1-1?",
        ),
        ({"tags": "opencl"}, "*: no program carries tag opencl; see `nntest list programs`"),
        (
            {"programs": "reorder-one", "dataset_uoa": "tensor-softmax-net"},
            "tensor-softmax-net: no shape for reorder-one was found (species reorder); see `nntest list datasets`",
        ),
        (
            {"programs": "softmax-one", "cmd_key": "fast"},
            "cmd_key: 'fast' was given; softmax-one has default; choose one of these",
        ),
        (
            {"env": {"CK_SEED": "x"}, "programs": "softmax-one"},
            "env.CK_SEED: 'x' was given; expected an integer from 0",
        ),
        (
            {"env": {"CK_IN_SHAPE_CC": "3"}, "programs": "softmax-one"},
            "env.CK_IN_SHAPE_CC: no parameter of that name is known; did you mean env.CK_IN_SHAPE_C?",
        ),
        (
            {"programs": "softmax-one", "library": ("two-cpu-1.0",)},
            "library: two-cpu-1.0 fits none of the programs; see `nntest list libraries`",
        ),
    ],
)
def test_what_is_refused_before_anything_runs(fake: FakeWorld, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        plan(fake, **options)
    assert str(refusal.value) == message


def test_nonsense_shapes_are_refused_by_their_file(fake: FakeWorld) -> None:
    path = fake.root / "repository" / "dataset" / "tensor-softmax-net" / "shape-4-1-1.json"
    path.write_text(json.dumps({"CK_IN_SHAPE_C": 0}))
    with pytest.raises(UsageError, match=r"^tensor-softmax-net:shape-4-1-1: CK_IN_SHAPE_C is 0; "):
        plan(fake, programs="softmax-one")


@pytest.mark.parametrize(
    ("module", "name", "content", "message"),
    [
        ("program", "softmax-one", "{", "no JSON object was found; restore the file, or name other programs"),
        ("program", "softmax-one", '{"nntest": {"species": "sofmax"}}', "nntest.species: 'sofmax' is no species; "),
        (
            "program",
            "softmax-one",
            '{"nntest": {"species": "softmax"}, "source_files": ["none.cpp"]}',
            "source_files names none.cpp, which is not there; correct the name or add the file",
        ),
        ("dataset", "tensor-softmax-net", "{", "no JSON object was found; restore the file"),
        (
            "dataset",
            "tensor-softmax-net",
            '{"tags": ["dataset"]}',
            "dataset_files is missing; expected a list of files with shapes; choose another dataset",
        ),
        (
            "dataset",
            "tensor-softmax-net",
            '{"tags": ["dataset"], "dataset_files": []}',
            "dataset_files is empty; expected a list of files with shapes; choose another dataset",
        ),
    ],
)
def test_a_damaged_entry_is_refused_by_its_file(
    fake: FakeWorld, module: str, name: str, content: str, message: str
) -> None:
    meta = fake.root / "repository" / module / name / ".cm" / "meta.json"
    meta.write_text(content)
    with pytest.raises(UsageError) as caught:
        plan(fake, programs="softmax-one", dataset_uoa="tensor-softmax-net")
    assert str(caught.value).startswith(f"{meta}: {message}")


def test_names_that_are_no_list_are_refused_as_a_check_of_the_repository_refuses_them(fake: FakeWorld) -> None:
    meta = fake.root / "repository" / "dataset" / "tensor-softmax-net" / ".cm" / "meta.json"
    meta.write_text('{"tags": ["dataset"], "dataset_files": "shape-4-1-1.json"}')
    with pytest.raises(DataError) as caught:
        plan(fake, programs="softmax-one", dataset_uoa="tensor-softmax-net")
    assert str(caught.value) == (
        f"{meta}: dataset_files is 'shape-4-1-1.json'; expected a list of names of files in the entry; correct it"
    )


@pytest.mark.parametrize("name", ["../../x", "/x", "sub/../../../x.json"])
def test_a_file_outside_of_its_dataset_is_not_read(fake: FakeWorld, name: str) -> None:
    (fake.root / "repository" / "x.json").write_text(json.dumps({"CK_IN_SHAPE_C": 4}))
    meta = fake.root / "repository" / "dataset" / "tensor-softmax-net" / ".cm" / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "dataset_files": [name]}))
    with pytest.raises(DataError) as caught:
        plan(fake, programs="softmax-one", dataset_uoa="tensor-softmax-net")
    assert str(caught.value) == (
        f"{meta}: dataset_files names {name.removesuffix('.json')}, which leads out of the entry; "
        "expected files of the entry itself; correct the name"
    )


def test_an_unknown_library_is_refused_by_its_file(fake: FakeWorld) -> None:
    meta = fake.root / "repository" / "program" / "softmax-one" / ".cm" / "meta.json"
    world = replace(fake.world(), find_library=find_library)
    with pytest.raises(UsageError) as caught:
        plan_session(RunRequest(programs="softmax-one", dataset_uoa="tensor-softmax-net"), world)
    known = ", ".join(LIBRARY_NAMES)
    assert str(caught.value) == (
        f"{meta}: nntest.library: library one-cpu: unknown; expected one of {known}; correct the name"
    )


def test_the_timestamp_is_the_time_unless_given(fake: FakeWorld) -> None:
    assert plan(fake).timestamp == "20231114223000"
    assert plan(fake, timestamp="word").name == "word"
    assert plan(fake, timestamp="word", record_uoa="entry").name == "entry"


def test_the_originals_name_of_the_layout_counts(fake: FakeWorld) -> None:
    made = plan(fake, programs="softmax-one", env={"CK_DATA_LAYOUT": "NHWC"})
    assert {(trial.case.layout, *trial.case.env) for trial in made.trials} == {("NHWC",)}
    with pytest.raises(UsageError, match=r"^env.CK_DATA_LAYOUT: 'HWNC' was given; expected one of auto, NCHW, NHWC$"):
        plan(fake, programs="softmax-one", env={"CK_DATA_LAYOUT": "HWNC"})
