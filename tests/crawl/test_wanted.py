"""What ``where`` leaves out early is what it would leave out late."""

import pandas as pd
import pytest

import nntest
from nntest.crawl.predicates import filter_rows
from nntest.crawl.summary import summarise
from nntest.crawl.wanted import wanted_rows
from nntest.errors import UsageError
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed


@pytest.fixture
def repository(tmp_path):
    place = Repository("repo", tmp_path / "repo")
    for name in ("a", "b"):
        folder = open_experiment(place, f"nntest-{name}", {"tags": ["nntest", name]})
        for seed in range(3):
            save_point(folder, with_seed(make_point(repetitions=2, launches=2, session=name), seed))
    return place


@pytest.mark.parametrize(
    "predicates",
    [
        ["experiment=*-a"],
        ["experiment!=nntest-a", "repo=repo"],
        ["session=b", "launch>=1"],
        ["threads<2"],
        ["threads>1"],
        ["shape=512-*", "library!=none"],
        ["model="],
        ["model!="],
        ["emulated=false"],
        ["time_us>0", "point=0*"],
        ["repetition=1"],
    ],
)
def test_early_is_as_late(repository, predicates):
    everything = filter_rows(nntest.load(repository.path), predicates).reset_index(drop=True)
    wanted = nntest.load(repository.path, where=predicates)
    texts = [name for name in wanted.columns if wanted[name].dtype == "category"]
    pd.testing.assert_frame_equal(
        wanted.astype(dict.fromkeys(texts, "str")), everything.astype(dict.fromkeys(texts, "str"))
    )


def test_folders_that_are_not_wanted_are_not_read(repository):
    (repository.path / "experiment" / "nntest-b" / "ckp-0123456789abcdef.0001.json").write_bytes(b"{")
    assert nntest.load(repository.path, where=["experiment=nntest-a"]).attrs["skipped"] == []
    assert nntest.load(repository.path, where={"experiment": ["nntest-a"]}).attrs["skipped"] == []


def test_conditions_are_decided_as_early_as_can_be():
    wanted = wanted_rows(["experiment=a", "threads>=2", "time_us>1", "point=0*", "library<3"])
    assert [name for name, _ in wanted.placed] == ["experiment"]
    assert [name for name, _ in wanted.early] == ["threads"]
    assert wanted.late == ["time_us", "point", "library"]


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ("thread=1", "where: there is no column 'thread'; did you mean threads?"),
        ("threads", "where: 'threads' is no predicate; expected COLUMN=VALUE (or !=, <, <=, >, >=)"),
        ("library<3", "where: library<3: both must be numbers; use = or != for texts"),
        ("threads<many", "where: threads<many: both must be numbers; use = or != for texts"),
    ],
)
def test_what_is_no_condition_is_refused(repository, predicate, message):
    with pytest.raises(UsageError) as caught:
        nntest.load(repository.path, where=[predicate])
    assert str(caught.value) == message


def test_a_summary_has_a_row_per_point(repository):
    table = summarise(repository.path, where=["experiment=nntest-a", "launch=0"], columns=["threads"])
    assert list(table.columns) == ["experiment", "point", "threads", "repetitions", "time_us"]
    assert table["repetitions"].tolist() == [1, 1, 1]
    rows = nntest.load(repository.path, where=["experiment=nntest-a", "launch=0"])
    assert table["time_us"].tolist() == rows.groupby("point", sort=False, observed=True)["time_us"].median().tolist()
