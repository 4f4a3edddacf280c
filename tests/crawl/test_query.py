import pytest

from nntest.crawl.query import query
from nntest.crawl.tables import Tables
from nntest.errors import UsageError
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed


@pytest.fixture
def tables(tmp_path):
    place = Repository("repo", tmp_path / "repo")
    folder = open_experiment(place, "nntest-a", {"tags": ["nntest"]})
    for seed in range(3):
        save_point(folder, with_seed(make_point(repetitions=2, launches=2), seed))
    return Tables(place.path)


def test_points_are_a_view(tables):
    answer = query(tables, "select species, count(*) as n, count(energy_mj) as known from points group by species")
    assert (answer.columns, answer.rows) == (["species", "n", "known"], [("conv", 6, 0)])


def test_texts_order_as_texts_and_meet_what_nothing_has(tables):
    answer = query(tables, "select distinct point from points where library <> 'none' order by point desc")
    points = [point for (point,) in answer.rows]
    assert points == sorted(points, reverse=True)
    assert len(points) == 3


def test_only_what_is_named_is_loaded(tables):
    query(tables, "select 1")
    assert "points" not in vars(tables)
    query(tables, "select count(*) from layers")
    assert "layers" in vars(tables)
    assert "points" not in vars(tables)


def test_files_that_gave_no_rows_are_named(tables):
    path = tables.source / "experiment" / "nntest-a" / "ckp-0123456789abcdef.0001.json"
    path.write_bytes(b"{")
    ((where, _),) = query(tables, "select count(*) from points").skipped
    assert where == str(path)


EXPECTED = "expected one SELECT; the views are points, layers, kernels, networks, hardware"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("copy points to 'x.csv'", f"sql: COPY was given; {EXPECTED}"),
        ("select 1; select 2", f"sql: SELECT, SELECT was given; {EXPECTED}"),
        ("", f"sql: nothing was given; {EXPECTED}"),
        ("attach 'x.db'", f"sql: ATTACH was given; {EXPECTED}"),
        ("set enable_external_access = true", f"sql: SET was given; {EXPECTED}"),
        ("create table t as select 1", f"sql: CREATE was given; {EXPECTED}"),
    ],
)
def test_what_is_no_select_is_refused(tables, statement, message):
    with pytest.raises(UsageError) as caught:
        query(tables, statement)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from read_json('{file}')",
        "select * from read_parquet('{file}')",
        "select * from glob('{folder}/*')",
        "select * from '{file}'",
        "select getenv('HOME')",
        "select * from tables",
        "from sniff_csv('{file}')",
        "select * from read_csv('https://example.org/x.csv')",
    ],
)
def test_nothing_but_the_views_can_be_read(tables, tmp_path, statement):
    file = tmp_path / "secret.csv"
    file.write_text("word\nsecret\n")
    with pytest.raises(UsageError) as caught:
        query(tables, statement.format(file=file, folder=tmp_path))
    text = str(caught.value)
    assert text.startswith("sql: ")
    assert "\n" not in text


def test_an_error_is_one_line_with_what_was_meant(tables):
    with pytest.raises(UsageError) as caught:
        query(tables, "select libary from points")
    text = str(caught.value)
    assert text.startswith('sql: Binder Error: Referenced column "libary" not found')
    assert '"library"' in text
