"""The journal: whole lines, torn tails, names."""

import os
from pathlib import Path

import pytest

from nntest.errors import DataError
from nntest.measure.journal import Journal, journal_paths, new_journal_path, read_records


def test_records_come_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "a" / "j.jsonl") as journal:
        journal.write("one", value=1.5, text="a\nb")
        journal.write("two")
    assert list(read_records(journal.path)) == [{"kind": "one", "value": 1.5, "text": "a\nb"}, {"kind": "two"}]


def test_a_torn_tail_costs_one_record(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"kind":"one"}\n{"kind":"tw')
    with Journal(path) as journal:
        journal.write("three")
    assert [record["kind"] for record in read_records(path)] == ["one", "three"]


def test_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'[1]\n{"no":"kind"}\n\n{"kind":3}\n{"kind":"one"}\n')
    assert [record["kind"] for record in read_records(path)] == ["one"]


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        monkeypatch.setattr(os, "write", lambda descriptor, data: 3)
        with pytest.raises(DataError) as error:
            journal.write("one")
    assert str(error.value) == f"{tmp_path}/j.jsonl: a record was cut after 3 of 15 bytes; free some disk"


def test_sessions_of_one_name_have_numbered_journals(tmp_path: Path) -> None:
    assert journal_paths(tmp_path, "t") == []
    first = new_journal_path(tmp_path, "t")
    first.touch()
    second = new_journal_path(tmp_path, "t")
    second.touch()
    (tmp_path / "t.x.0007.jsonl").touch()
    (tmp_path / "t.other.jsonl").touch()
    assert [first.name, second.name] == ["t.0001.jsonl", "t.0002.jsonl"]
    assert journal_paths(tmp_path, "t") == [second, first]
