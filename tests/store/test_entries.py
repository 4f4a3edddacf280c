import orjson
import pytest

from nntest.errors import DataError, UsageError
from nntest.store.entries import (
    find_datasets,
    find_entries,
    find_experiments,
    find_programs,
    get_entry,
    is_point_name,
    nearest_name,
    split_tags,
)
from nntest.store.repository import Repository


def add_entry(root, module, name, uid, meta, *, aliases=True):
    folder = root / module / name
    (folder / ".cm").mkdir(parents=True)
    (folder / ".cm" / "meta.json").write_bytes(orjson.dumps(meta))
    (root / module / ".cm").mkdir(exist_ok=True)
    if aliases:
        (root / module / ".cm" / f"alias-a-{name}").write_text(f"{uid}\n")
        (root / module / ".cm" / f"alias-u-{uid}").write_text(f"{name}\n")
    return folder


PROGRAM = {
    "tags": ["nntest", "onednn-cpu", "conv"],
    "source_files": ["conv.cpp"],
    "run_cmds": {"default": {"dataset_tags": ["dataset", "nntest", "tensor-conv"]}},
    "nntest": {"species": "conv", "operator": "directconv", "library": "onednn-cpu", "dtypes": ["float32"]},
}


@pytest.fixture
def repository(tmp_path):
    add_entry(tmp_path, "program", "conv-onednn-cpu", "1" * 16, PROGRAM)
    add_entry(tmp_path, "program", "conv-plain-cpu", "2" * 16, {"tags": ["nntest", "plain-cpu", "conv"]})
    add_entry(tmp_path, "program", "softmax-plain-cpu", "3" * 16, {"tags": ["nntest", "plain-cpu", "softmax"]})
    return Repository("here", tmp_path)


def names(entries):
    return [entry.uoa for entry in entries]


@pytest.mark.parametrize(
    ("pattern", "tags", "expected"),
    [
        ("*", "", ["conv-onednn-cpu", "conv-plain-cpu", "softmax-plain-cpu"]),
        ("conv-*", "", ["conv-onednn-cpu", "conv-plain-cpu"]),
        ("conv-?nednn-cpu", "", ["conv-onednn-cpu"]),
        ("*", "plain-cpu,conv", ["conv-plain-cpu"]),
        ("*", ["plain-cpu"], ["conv-plain-cpu", "softmax-plain-cpu"]),
        ("softmax-plain-cpu,conv-plain-cpu", "", ["softmax-plain-cpu", "conv-plain-cpu"]),
        ("2222222222222222", "", ["conv-plain-cpu"]),
        ("here:conv-p*", "", ["conv-plain-cpu"]),
        ("here:program:conv-p*", "", ["conv-plain-cpu"]),
        ("program:conv-p*", "", ["conv-plain-cpu"]),
        ("nothing-*", "", []),
    ],
)
def test_patterns_and_tags(repository, pattern, tags, expected):
    assert names(find_programs(pattern, tags, repositories=[repository])) == expected


def test_a_pattern_of_another_module_is_refused(repository):
    expected = "here:dataset:x: expected NAME, REPOSITORY:NAME or REPOSITORY:program:NAME"
    with pytest.raises(UsageError) as caught:
        find_programs("here:dataset:x", repositories=[repository])
    assert str(caught.value) == expected


def test_what_a_program_says_of_itself(repository):
    (program,) = find_programs("conv-onednn-cpu", repositories=[repository])
    assert (program.species, program.operator, program.library) == ("conv", "directconv", "onednn-cpu")
    assert (program.algorithm, program.dtypes, program.layouts) == ("auto", ("float32",), ("auto",))
    assert program.source_files == (program.path / "conv.cpp",)
    assert program.dataset_tags == ("dataset", "nntest", "tensor-conv")
    assert (program.uid, program.problems) == ("1" * 16, ())


NOT_PLAIN = (
    "which is no plain name of a file; expected characters that show, at most 250 bytes, 4,000 with all folders; "
)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["../conv.cpp"], "names ../conv.cpp, which leads out of the entry; expected files of the entry itself; "),
        (["/etc/passwd"], "names /etc/passwd, which leads out of the entry; expected files of the entry itself; "),
        (["..\n/conv.cpp"], f"names '..\\n/conv.cpp', {NOT_PLAIN}"),
        (["a\0.cpp"], f"names 'a\\x00.cpp', {NOT_PLAIN}"),
        (["a\u202e.cpp"], f"names 'a\\u202e.cpp', {NOT_PLAIN}"),
        ([""], f"names '', {NOT_PLAIN}"),
        (["x" * 251], f"names '{'x' * 59}..., {NOT_PLAIN}"),
        # each part is short enough
        (["x/" * 2100 + "x.cpp"], f"names '{('x/' * 30)[:59]}..., {NOT_PLAIN}"),
        (["../" * 2100 + "x.cpp"], f"names '{'../' * 20}"[:-1] + "..., which leads out of the entry; "),
        ("conv.cpp", "is 'conv.cpp'; expected a list of names of files in the entry; "),
        (["conv.cpp", None], "is ['conv.cpp', None]; expected a list of names of files in the entry; "),
        ({"conv.cpp": 1}, "is {'conv.cpp': 1}; expected a list of names of files in the entry; "),
        ([["conv.cpp"]], "is [['conv.cpp']]; expected a list of names of files in the entry; "),
    ],
)
def test_sources_that_are_none_are_refused_in_a_line(repository, names, said):
    folder = add_entry(repository.path, "program", "conv-odd-cpu", "6" * 16, {**PROGRAM, "source_files": names})
    (program,) = find_programs("conv-odd-cpu", repositories=[repository])
    with pytest.raises(DataError) as caught:
        _ = program.source_files
    assert str(caught.value).startswith(f"{folder}/.cm/meta.json: source_files {said}")
    assert str(caught.value).endswith(("; correct the name", "; correct it"))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["conv\xa0x.cpp", "\N{LATIN SMALL LETTER E WITH ACUTE}.cpp", "sub/conv x.cpp"])
def test_whatever_shows_may_be_the_name_of_a_source(repository, name):
    folder = add_entry(repository.path, "program", "conv-odd-cpu", "6" * 16, {**PROGRAM, "source_files": [name]})
    (program,) = find_programs("conv-odd-cpu", repositories=[repository])
    assert program.source_files == (folder / name,)


def test_an_entry_without_alias_files_is_found_and_says_so(repository):
    folder = add_entry(repository.path, "program", "conv-new-cpu", "4" * 16, {"tags": []}, aliases=False)
    (program,) = find_programs("conv-new-cpu", repositories=[repository])
    alias = f"{folder.parent}/.cm/alias-a-conv-new-cpu"
    assert program.problems == (f"{alias}: missing, so ck does not find the entry; write its UID there",)


def test_an_alias_that_tells_another_name_is_reported(repository):
    (repository.path / "program" / ".cm" / f"alias-u-{'1' * 16}").write_text("other\n")
    (program,) = find_programs("conv-onednn-cpu", repositories=[repository])
    path = f"{repository.path}/program/.cm/alias-u-{'1' * 16}"
    assert program.problems == (f"{path}: missing or not conv-onednn-cpu; write conv-onednn-cpu there",)


def test_an_entry_stored_under_its_uid_is_known_by_its_alias(repository):
    uid = "5" * 16
    folder = add_entry(repository.path, "program", uid, uid, {"tags": []}, aliases=False)
    (folder.parent / ".cm" / f"alias-u-{uid}").write_text("conv-fifth\n")
    assert get_entry("program", "conv-fifth", repositories=[repository]).path == folder


def test_a_damaged_meta_is_a_problem_of_that_entry_only(repository):
    (repository.path / "program" / "conv-plain-cpu" / ".cm" / "meta.json").write_text("{")
    found = find_programs(repositories=[repository])
    assert len(found) == 3
    meta = f"{repository.path}/program/conv-plain-cpu/.cm/meta.json"
    assert found[1].problems == (f"{meta}: no JSON object was found; restore the file",)


def test_an_earlier_repository_hides_a_program_of_the_same_name(repository, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    add_entry(other, "program", "conv-plain-cpu", "6" * 16, {"tags": []})
    both = [Repository("other", other), repository]
    assert find_programs("conv-plain-cpu", repositories=both)[0].repository == "other"
    assert len(find_programs(repositories=both)) == 3


def test_experiments_of_one_name_in_two_repositories_are_both_found(tmp_path):
    places = [Repository(name, tmp_path / name) for name in "ab"]
    for place in places:
        add_entry(place.path, "experiment", "nntest-x", "7" * 16, {"tags": ["nntest"]})
    assert [entry.repository for entry in find_experiments("nntest-*", "nntest", repositories=places)] == ["a", "b"]


def test_an_unknown_entry_is_refused_with_the_nearest(repository):
    with pytest.raises(UsageError) as caught:
        get_entry("program", "conv-onednn", repositories=[repository])
    assert str(caught.value) == "conv-onednn: no program of that name was found; did you mean `conv-onednn-cpu`?"


def test_shapes_of_a_dataset(tmp_path):
    folder = add_entry(tmp_path, "dataset", "tensor", "8" * 16, {"tags": ["dataset"], "dataset_files": ["shape-1"]})
    (folder / "shape-1.json").write_bytes(b'{"CK_IN_SHAPE_C": "3"}')
    (dataset,) = find_datasets("*", "dataset", repositories=[Repository("x", tmp_path)])
    assert dataset.dataset_files == ("shape-1",)
    assert dataset.shape_parameters("shape-1") == {"CK_IN_SHAPE_C": "3"}
    with pytest.raises(DataError, match="no JSON object with CK_"):
        dataset.shape_parameters("shape-2")


def test_folders_that_are_no_entries_are_passed_over(repository):
    (repository.path / "program" / "notes").mkdir()
    (repository.path / "program" / ".hidden").mkdir()
    assert len(find_entries("program", repositories=[repository])) == 3
    assert find_entries("nothing", repositories=[repository]) == []


def test_every_entry_of_the_checkout_is_whole():
    for module in ("program", "dataset", "analysis"):
        for entry in find_entries(module, "*"):
            assert entry.problems == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ckp-0123456789abcdef.0001.json", True),
        ("ckp-0123456789abcdef.flat.json", False),
        ("ckp-0123456789abcdef.features_flat.json", False),
        ("desc.json", False),
        (".nntest-0123.tmp", False),
    ],
)
def test_names_of_points(name, expected):
    assert is_point_name(name) is expected


def test_tags_are_split_and_trimmed():
    assert split_tags(" a, b,,") == ("a", "b")
    assert split_tags(["a", ""]) == ("a",)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("tensor-conv-mobilenet", "tensor-conv-mobilenets-v1"),
        ("conv mobilenets", "tensor-conv-mobilenets-v1"),
        ("tensor-conv-gogglenet", "tensor-conv-googlenet"),
        ("nothing-like-it", ""),
        ("", ""),
    ],
)
def test_a_name_that_holds_all_words_is_nearer_than_one_spelt_alike(asked: str, meant: str) -> None:
    assert nearest_name(asked, ["tensor-conv-googlenet", "tensor-conv-mobilenets-v1"]) == meant
