"""``ck run analysis:NAME`` and ``nntest analyse NAME`` are one: the same input gives the same files, byte for byte."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nntest.analyses import run
from nntest.analyses.run import Written
from nntest.crawl.tables import Tables
from nntest.faces import cli
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.analyses.tx1 import ARCHIVE
from tests.points import make_case, make_point, make_subject, with_profile

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in (ROOT / "analysis").glob("*/analysis.py"))
#: What points of single operators have little for.
OF_NETWORKS = {"batch", "ratio", "layers", "memory", "adaptive"}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """Return the module that ck loads."""
    specification = importlib.util.spec_from_file_location(
        "analysis_module", ROOT / "module" / "analysis" / "module.py"
    )
    assert specification is not None
    assert specification.loader is not None
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of two programs on one shape."""
    root = tmp_path_factory.mktemp("points")
    folder = open_experiment(Repository("mine", root), "demo", {"tags": ["nntest"]})
    for program, version in (("conv-onednn-cpu", "3.2.0"), ("directconv-onednn-cpu", "3.1.0")):
        case, subject = make_case(program=program), make_subject(program=program, version=version)
        point = make_point(case=case, subject=subject, repetitions=6, launches=3)
        save_point(folder, with_profile(point))
    return root


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def test_all_analyses_are_compared() -> None:
    assert len(NAMES) >= 19


#: All of them take a minute; these stand for points, ratios, tables of the repository, and whole networks.
QUICK = {"points", "speedup", "accuracy", "batch"}


@pytest.mark.parametrize("name", NAMES)
def test_both_faces_ask_for_the_same(
    name: str, module: ModuleType, points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def carried_out(name: str, tables: Tables, options: Mapping[str, Any], out: Path, *, publish: Any) -> Written:
        asked.append((name, tables.source, tables.tags, dict(options), out, publish))
        return Written(name=name, paths=())

    monkeypatch.setattr(run, "run_analysis", carried_out)
    request = {"action": "run", "module_uoa": "analysis", "data_uoa": name, "cids": [], "out": "con"}
    given = {"source": str(points), "out_dir": str(tmp_path), "tags": "nntest", "where": "threads=1"}
    assert module.run({**request, **given}) == {"return": 0}
    assert (
        cli.main(["analyse", name, str(points), "--out", str(tmp_path), "--tags=nntest", "--where", "threads=1"]) == 0
    )
    assert len(asked) == 2
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.full) for name in NAMES]
)
def test_both_faces_write_the_same_files(
    name: str, module: ModuleType, points: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ARCHIVE if name in OF_NETWORKS and ARCHIVE.is_file() else points
    theirs, ours = tmp_path / "ck", tmp_path / "nntest"
    request = {"action": "run", "module_uoa": "analysis", "data_uoa": name, "cids": [], "out": "con"}
    answer = module.run({**request, "source": str(source), "out_dir": str(theirs), "where": ""})
    said_there = capsys.readouterr().out.replace(str(theirs), "OUT")
    code = cli.main(["analyse", name, str(source), "--out", str(ours), "--where", ""])
    said_here = capsys.readouterr()
    assert answer["return"] == code
    assert files(theirs) == files(ours)
    assert said_there == said_here.out.replace(str(ours), "OUT")
    if code:
        # what the points have nothing for is the same line
        assert f"nntest: {answer['error']}\n" == said_here.err
    else:
        assert {f"{name}.csv", f"{name}.svg", f"{name}.png", "report.html"} <= set(files(ours))
