from pathlib import Path

import pytest

from nntest.analyses import lookup
from nntest.errors import DataError
from nntest.store.entries import DatasetEntry


def entry(path: Path, **meta: str) -> DatasetEntry:
    return DatasetEntry(uoa="mine", uid="0" * 16, path=path, meta=meta, tags=("dataset",), repository="x")


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = [entry(tmp_path, table_file="t.csv")]
    monkeypatch.setattr(lookup, "find_datasets", lambda pattern, tags: found if tags == "a" else [])
    return tmp_path


def test_the_tables_of_all_entries_are_joined(entries: Path) -> None:
    (entries / "t.csv").write_text("model,top1,more\nx,0.5,1\n")
    assert lookup.read_tables("a", ("model", "top1")).to_numpy().tolist() == [["x", 0.5]]
    assert lookup.read_tables("b", ("model",)).empty


def test_missing_files_and_columns_are_named(entries: Path) -> None:
    with pytest.raises(DataError) as caught:
        lookup.read_tables("a", ("model",))
    assert str(caught.value) == (
        f"{entries}/t.csv: is missing; expected the table of the dataset mine; restore the file"
    )
    (entries / "t.csv").write_text("model\nx\n")
    with pytest.raises(DataError, match=r"t\.csv: lacks top1; expected model, top1; correct the file$"):
        lookup.read_tables("a", ("model", "top1"))
