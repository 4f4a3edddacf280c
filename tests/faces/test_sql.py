"""``nntest sql`` and ``nntest list points``: one source, three formats, errors in one line."""

import json

import pytest

from nntest.faces import cli
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed


@pytest.fixture
def source(tmp_path):
    place = Repository("repo", tmp_path / "repo")
    for name in ("a", "b"):
        folder = open_experiment(place, f"nntest-{name}", {"tags": ["nntest", name]})
        for seed in range(2):
            save_point(folder, with_seed(make_point(repetitions=2, launches=2, session=name), seed))
    return str(place.path)


def test_sql_prints_a_table(source, capsys):
    assert cli.main(["sql", "select session, count(*) as n from points group by 1 order by 1", "--source", source]) == 0
    assert capsys.readouterr().out == "session  n\na        4\nb        4\n"


def test_sql_prints_csv_and_json_with_the_unknown_apart(source, capsys):
    statement = "select 'a,b' as text, null as gap, true as yes, 1.5 as number"
    assert cli.main(["sql", statement, "--source", source, "--format", "csv"]) == 0
    assert capsys.readouterr().out == 'text,gap,yes,number\n"a,b",,True,1.5\n'
    assert cli.main(["sql", statement, "--source", source, "--format=json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["text"], row["gap"], row["yes"]) == ("a,b", None, True)


def test_points_are_listed_by_condition_and_by_experiment(source, capsys):
    arguments = ["list", "points", "*-a", "--source", source, "--where", "threads>=1,launch=0", "--columns=threads"]
    assert cli.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["experiment", "point", "threads", "repetitions", "time_us"]
    assert [line.split()[0] for line in lines[1:]] == ["nntest-a", "nntest-a"]
    assert [line.split()[3] for line in lines[1:]] == ["1", "1"]


def test_damaged_files_are_named_and_counted(source, tmp_path, capsys):
    path = tmp_path / "repo" / "experiment" / "nntest-a" / "ckp-0123456789abcdef.0001.json"
    path.write_bytes(b"")
    assert cli.main(["list", "points", "--source", source, "--format=json"]) == 0
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)) == 4
    assert printed.err == f"{path}: is empty; expected a point; remove the file or restore it from its source\n" + (
        "1 file gave no rows\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sql", "selec 1"], 'nntest: sql: Parser Error: syntax error at or near "selec"\n'),
        (["sql", "select 1", "--format=cvs"], "nntest: --format: 'cvs' was given; did you mean csv?\n"),
        (["list", "points", "--where=thread=1"], "nntest: where: there is no column 'thread'; did you mean threads?\n"),
        (
            ["list", "programs", "--where=threads=1"],
            "nntest list programs: --where, --source and --columns are for points; leave them out\n",
        ),
    ],
)
def test_wrong_usage_is_one_line(arguments, message, capsys):
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err == message
