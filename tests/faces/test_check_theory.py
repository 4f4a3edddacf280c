"""``nntest check`` on tables of devices and networks."""

import json
from pathlib import Path

from nntest.faces.aliases import write_alias
from nntest.faces.consistency import Census, problems

TABLE = "Name,Peak_Performance,Bandwidth\n{name},{peak},0.0192\n"


def entry(root: Path, name: str, uid: str, text: str) -> None:
    folder = root / "dataset" / name
    (folder / ".cm").mkdir(parents=True)
    (folder / ".cm" / "meta.json").write_text(json.dumps({"tags": ["dataset", "nntest", "hardware-table"]}))
    (folder / "table.csv").write_text(text)
    write_alias(root / "dataset", name, uid)
    write_alias(root, "dataset", "8a7141c59cd335f5")


def test_tables_that_contradict_each_other_are_reported(tmp_path: Path) -> None:
    entry(tmp_path, "one", "0" * 15 + "1", TABLE.format(name="ZCU104 BISMO INT2", peak="30.7"))
    assert list(problems(tmp_path, Census())) == []
    entry(tmp_path, "two", "0" * 15 + "2", TABLE.format(name="ZCU104-Bismo INT2", peak="2.45"))
    (problem,) = problems(tmp_path, Census())
    assert "ZCU104-BISMO: peak_tops of INT2 is 30.7 in " in str(problem)
    assert " and 2.45 in " in str(problem)


def test_a_table_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    entry(tmp_path, "one", "0" * 15 + "1", TABLE.format(name="A INT2", peak="fast"))
    (problem,) = problems(tmp_path, Census())
    assert "Peak_Performance is 'fast'; expected a number" in str(problem)
