"""`nntest check` finds each kind of damage, says what to do, and repairs what loses nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nntest.faces import cli
from nntest.faces.consistency import Census, problems
from nntest.model.point import Failure
from nntest.model.point_json import FORMAT
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_case, make_point

CHECKOUT = Path(__file__).parents[2]
PROGRAM, DATASET, ANALYSIS = "conv-plain-cpu", "tensor-conv-synthetic", "speedup"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Copy one entry of each kind."""
    root = tmp_path / "repository"
    shutil.copytree(CHECKOUT / ".cm", root / ".cm")
    shutil.copy(CHECKOUT / ".ckr.json", root)
    for module, name in (("program", PROGRAM), ("dataset", DATASET), ("analysis", ANALYSIS)):
        source, target = CHECKOUT / module, root / module
        shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        (target / ".cm").mkdir()
        uid = (source / ".cm" / f"alias-a-{name}").read_text().strip()
        for alias in (f"alias-a-{name}", f"alias-u-{uid}"):
            shutil.copy(source / ".cm" / alias, target / ".cm")
    return root


def found(root: Path) -> list[str]:
    return [str(problem).replace(f"{root}/", "") for problem in problems(root, Census())]


def test_the_entries_of_this_repository_are_whole() -> None:
    census = Census()
    assert [str(problem) for problem in problems(CHECKOUT, census)] == []
    assert census.entries > 3


def test_a_whole_repository(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(repository)]) == 0
    assert capsys.readouterr().out == "3 entries and 0 points checked, 0 problems\n"


def _remove_alias(root: Path) -> None:
    (root / "program" / ".cm" / f"alias-a-{PROGRAM}").unlink()


def _other_uid(root: Path) -> None:
    uid = (root / "program" / ".cm" / f"alias-a-{PROGRAM}").read_text().strip()
    (root / "program" / ".cm" / f"alias-u-{uid}").write_text("another\n")


def _remove_entry(root: Path) -> None:
    shutil.rmtree(root / "program" / PROGRAM)


def _no_source(root: Path) -> None:
    (root / "program" / PROGRAM / "conv.cpp").unlink()


def _change_program(root: Path, key: str, value: object) -> None:
    path = root / "program" / PROGRAM / ".cm" / "meta.json"
    meta = json.loads(path.read_text())
    meta["nntest"][key] = value
    path.write_text(json.dumps(meta))


def _stray_shape(root: Path) -> None:
    (root / "dataset" / DATASET / "shape-new.json").write_text("{}")


def _astray(root: Path) -> None:
    (root / "x.json").write_text('{"CK_IN_SHAPE_C": 3}')
    path = root / "dataset" / DATASET / ".cm" / "meta.json"
    meta = json.loads(path.read_text())
    path.write_text(json.dumps({**meta, "dataset_files": [*meta["dataset_files"], "../../x"]}))


def _list(module: str, name: str, key: str, value: object) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / module / name / ".cm" / "meta.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    return change


def _nonsense_shape(root: Path) -> None:
    shape = {"CK_IN_SHAPE_C": 3, "CK_IN_SHAPE_H": 2, "CK_IN_SHAPE_W": 2, "CK_OUT_SHAPE_C": 1}
    kernel = {"CK_CONV_KERNEL": 5, "CK_CONV_STRIDE": 1, "CK_CONV_PAD": 0}
    (root / "dataset" / DATASET / "shape-1-1-1-1-1-1-0.json").write_text(json.dumps({**shape, **kernel}))


def _no_chart(root: Path) -> None:
    (root / "analysis" / ANALYSIS / "analysis.py").write_text("def table(source, options):\n    return {}\n")


def _folder_without_cm(root: Path) -> None:
    (root / "dataset" / "stray").mkdir()


@pytest.mark.parametrize(
    ("damage", "where", "what"),
    [
        (_remove_alias, f"program/.cm/alias-a-{PROGRAM}", "missing, so ck does not find conv-plain-cpu"),
        (_other_uid, "program/.cm/alias-u-", "another was found; expected conv-plain-cpu; correct it by hand"),
        (_remove_entry, f"program/.cm/alias-a-{PROGRAM}", "there is no entry conv-plain-cpu; remove the alias files"),
        (_no_source, f"program/{PROGRAM}/conv.cpp", "missing; restore it or take it out of source_files"),
        (
            lambda root: _change_program(root, "species", "convolution"),
            f"program/{PROGRAM}/.cm/meta.json",
            "nntest.species: 'convolution' is no species",
        ),
        (
            lambda root: _change_program(root, "operator", ""),
            f"program/{PROGRAM}/.cm/meta.json",
            "nntest.operator is missing; docs/concepts.md says what it holds",
        ),
        (
            lambda root: _change_program(root, "operator", "directconv"),
            f"program/{PROGRAM}/.cm/meta.json",
            "nntest.operator is directconv; the entry's name does not begin with it",
        ),
        (
            lambda root: _change_program(root, "library", "plane-cpu"),
            f"program/{PROGRAM}/.cm/meta.json",
            "nntest.library: 'plane-cpu' is not known; expected one of onednn-cpu, openblas-cpu, ",
        ),
        (
            lambda root: _change_program(root, "layouts", ["NCHW", "NWHC"]),
            f"program/{PROGRAM}/.cm/meta.json",
            "nntest.layouts: 'NWHC' is not known; expected one of auto, NCHW, NHWC; correct it",
        ),
        (
            lambda root: _change_program(root, "dtypes", ["fp32"]),
            f"program/{PROGRAM}/.cm/meta.json",
            "nntest.dtypes: 'fp32' is not known; expected one of float64, float32, int32, ",
        ),
        (_stray_shape, f"dataset/{DATASET}/shape-new.json", "it is not in dataset_files of the entry's meta"),
        (
            _astray,
            f"dataset/{DATASET}/.cm/meta.json: dataset_files names ../../x, ",
            "which leads out of the entry; expected files of the entry itself; correct the name",
        ),
        (
            _list("program", PROGRAM, "source_files", ["../../x.cpp"]),
            f"program/{PROGRAM}/.cm/meta.json: source_files names ../../x.cpp, ",
            "which leads out of the entry; expected files of the entry itself; correct the name",
        ),
        (
            _list("program", PROGRAM, "source_files", {"conv.cpp": 1}),
            f"program/{PROGRAM}/.cm/meta.json: source_files is {{'conv.cpp': 1}}; ",
            "expected a list of names of files in the entry; correct it",
        ),
        (
            _list("program", PROGRAM, "source_files", ["x" * 300 + ".cpp"]),
            f"program/{PROGRAM}/.cm/meta.json: source_files names 'xxxxx",
            "..., which is no plain name of a file; expected characters that show, at most 250 bytes, ",
        ),
        (
            _list("program", PROGRAM, "source_files", []),
            f"program/{PROGRAM}/.cm/meta.json",
            "source_files is missing or empty; name the program's sources",
        ),
        (
            _list("dataset", DATASET, "dataset_files", ["shape-1-1-1-1-1-1-0", 5]),
            f"dataset/{DATASET}/.cm/meta.json: dataset_files is ['shape-1-1-1-1-1-1-0', 5]; ",
            "expected a list of names of files in the entry; correct it",
        ),
        (
            _list("dataset", DATASET, "dataset_files", ["a\u202e\0b"]),
            f"dataset/{DATASET}/.cm/meta.json: dataset_files names 'a\\u202e\\x00b', ",
            "which is no plain name of a file; expected characters that show, at most 250 bytes, ",
        ),
        (
            _list("dataset", DATASET, "dataset_files", ["x/" * 2100 + "x"]),
            f"dataset/{DATASET}/.cm/meta.json: dataset_files names 'x/x/",
            "..., which is no plain name of a file; expected characters that show, at most 250 bytes, ",
        ),
        (
            _list("dataset", DATASET, "dataset_files", ["shape-gone"]),
            f"dataset/{DATASET}/shape-gone.json: no JSON object with CK_* values was found; ",
            "restore the file or take its name out of the entry's meta (dataset_files)",
        ),
        (_nonsense_shape, f"dataset/{DATASET}/shape-1-1-1-1-1-1-0.json", "kernel"),
        (_no_chart, f"analysis/{ANALYSIS}/analysis.py", "the function chart is missing"),
        (_folder_without_cm, "dataset/stray", "it has no .cm, so it is no entry"),
    ],
)
def test_damage_is_named(repository: Path, damage: Callable[[Path], None], where: str, what: str) -> None:
    damage(repository)
    lines = found(repository)
    assert any(line.startswith(where) and what in line for line in lines), lines


def test_repair_writes_aliases_and_sets_damaged_points_aside(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _remove_alias(repository)
    experiment = repository / "experiment" / "e"
    (experiment / ".cm").mkdir(parents=True)
    (experiment / ".cm" / "meta.json").write_text("{}")
    (experiment / ".cm" / "info.json").write_text('{"backup_data_uid": "0123456789abcdef"}')
    point = experiment / "ckp-0123456789abcdef.0001.json"
    point.write_text('{"choices": {}}')
    assert cli.main(["check", str(repository)]) == 1
    assert f"{point}: characteristics_list is missing; expected one item per repetition; " in capsys.readouterr().out
    assert cli.main(["check", str(repository), "--repair"]) == 0
    assert "repaired: " in capsys.readouterr().out
    assert cli.main(["check", str(repository)]) == 0
    assert point.with_name(f"{point.name}.damaged").read_text() == '{"choices": {}}'


def test_a_folder_without_entries_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"nntest: {tmp_path}: no entries were found; expected one of the folders")


def test_a_repository_by_its_name(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CK_LOCAL_REPO", str(repository))
    assert cli.main(["check", "local"]) == 0
    assert capsys.readouterr().out == "3 entries and 0 points checked, 0 problems\n"
    assert cli.main(["check", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("nntest: nowhere: no such repository or folder")


@pytest.fixture
def point(tmp_path: Path) -> Path:
    folder = open_experiment(Repository("points", tmp_path / "points"), "e", {"tags": ["nntest"]})
    return save_point(folder, make_point(repetitions=3, launches=3))


def found_in(point: Path) -> list[str]:
    return [line.removeprefix("experiment/e/") for line in found(point.parents[2])]


def changed(point: Path, change: Callable[[dict[str, Any]], object]) -> list[str]:
    words = json.loads(point.read_bytes())
    change(words)
    point.write_text(json.dumps(words))
    return found_in(point)


RESTORE = "it was changed after it was published; restore it from its source"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda words: words["nntest"]["case"].update(seed=7),
            f"its content has the uid {make_point(case=make_case(seed=7)).uid}",
        ),
        (
            lambda words: words["nntest"].update(platform_id="0" * 16),
            f"nntest.platform_id is '{'0' * 16}'; its content has {make_point().platform.id}",
        ),
        (
            lambda words: words["nntest"].update(uid="0" * 16),
            f"nntest.uid is '{'0' * 16}'; its content has {make_point().uid}",
        ),
        (
            lambda words: words["nntest"]["samples"]["seconds"].__setitem__(1, 1e-9),
            "characteristics_list.1 is not what the nntest block says",
        ),
        (
            lambda words: words["characteristics_list"][2]["run"].update(run_success="no"),
            "characteristics_list.2 is not what the nntest block says",
        ),
        (
            lambda words: words["characteristics_list"].pop(),
            "characteristics_list has 2 repetitions; nntest.samples has 3",
        ),
        (
            lambda words: words["choices"].update(data_uoa="x"),
            "choices.data_uoa is 'x'; nntest.case.program is conv-onednn-cpu",
        ),
        (
            lambda words: words["nntest"]["case"].update(threads="two"),
            "nntest.case.threads: 'two' is not of type 'integer', against docs/point.schema.json",
        ),
        (
            lambda words: words.pop("features"),
            "the point: 'features' is a required property, against docs/point.schema.json",
        ),
    ],
)
def test_a_point_that_was_changed(point: Path, change: Callable[[dict[str, Any]], object], text: str) -> None:
    assert f"{point.name}: {text}; {RESTORE}" in changed(point, change)


def test_points_as_they_were_published(point: Path) -> None:
    failed = make_point(session="other", samples=(), failure=Failure(kind="crash", reason="signal 11"))
    save_point(point.parent, failed)
    imported = point.with_name("ckp-0123456789abcdef.0001.json")
    imported.write_text('{"characteristics_list": [{"run": {"x": NaN}}]}')
    assert found_in(point) == []
    # A newer minor version may have more keys.
    assert changed(point, lambda words: words["nntest"].update(format="1.99.0", more={"a": 1})) == []


def test_a_point_of_a_newer_format_is_not_set_aside(point: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = changed(point, lambda words: words["nntest"].update(format="2.0.0"))
    assert line == (
        f"{point.name}: format 2.0.0 is newer than {FORMAT}, which this nntest reads; update nntest to read it"
    )
    assert cli.main(["check", str(point.parents[2]), "--repair"]) == 1
    assert point.is_file()


def test_the_same_point_twice(point: Path) -> None:
    copy = point.with_name(point.name.replace(".0001.", ".0002."))
    shutil.copy(point, copy)
    assert found_in(point) == [
        f"{copy.name}: it holds the same bytes as experiment/e/{point.name}, so that its repetitions count twice; "
        "remove one of them"
    ]


def test_what_is_set_aside_replaces_nothing(point: Path) -> None:
    for turn in ("first", "second", "third"):
        point.write_text(turn)
        assert cli.main(["check", str(point.parents[2]), "--repair"]) == 0
    kept = {path.name.removeprefix(point.name): path.read_text() for path in point.parent.glob(f"{point.name}*")}
    assert kept == {".damaged": "first", ".damaged-2": "second", ".damaged-3": "third"}
