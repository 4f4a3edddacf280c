import json
from pathlib import Path

import pytest

from nntest.crawl import views
from nntest.crawl.columns import COLUMNS
from nntest.crawl.views import SHIPPED, find_views, parse_view
from nntest.errors import DataError, UsageError

GOOD = {
    "name": "mine",
    "matches": [{"path": "a"}],
    "point": {"model": [{"tag": -1}]},
    "repetitions": {"items": "runs"},
    "repetition": {"time_us": [{"path": "ms", "scale": 1000}]},
}


def test_the_shipped_views_are_whole():
    assert [view.name for view in find_views()] == list(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_views_would_pass_as_a_users(name: str):
    data = (Path(views.__file__).parent / "views" / f"{name}.json").read_bytes()
    assert parse_view(data, where=name) == parse_view(data, where=name, shipped=True)


def test_a_user_s_view_is_asked_first(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(GOOD))
    assert [view.name for view in find_views([tmp_path / "mine.json"])] == ["mine", *SHIPPED]


def test_an_unknown_view_is_refused():
    with pytest.raises(UsageError) as caught:
        find_views(["nothing.json"])
    assert str(caught.value) == (
        "nothing.json: no such view; expected one of nntest, imported, caffe, original, or the path of a view file"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": {}}, "v.json: the view.points: expected one of name, about, matches, "),
        ({"point": {"time_us": []}}, "v.json: point.time_us: expected one of session, "),
        ({"repetition": {"model": []}}, "v.json: repetition.model: expected one of launch, "),
        ({"point": {"model": [{"path": "a", "tag": 1}]}}, "v.json: point.model: expected exactly one of path, tag, "),
        ({"point": {"model": [{"path": "a", "python": "x"}]}}, "v.json: point.model.python: expected one of path, "),
        (
            {"point": {"model": [{"path": "a", "strip": "("}]}},
            "v.json: point.model.strip: expected a regular expression; correct the view",
        ),
        ({"point": {"model": {}}}, "v.json: point.model: expected a list of rules; correct the view"),
        ({"repetitions": {}}, "v.json: repetitions: expected exactly one of items, columns; correct the view"),
        ({"matches": [{"path": 7}]}, "v.json: matches.path: expected a path: keys joined by dots; correct the view"),
        ({"name": 7}, "v.json: name: expected a text; correct the view"),
    ],
)
def test_views_know_no_other_words(change, message):
    with pytest.raises(DataError) as caught:
        parse_view(json.dumps({**GOOD, **change}).encode(), where="v.json")
    assert str(caught.value).startswith(message)


def test_a_view_that_is_no_json_is_refused():
    with pytest.raises(DataError, match=r"^v\.json: not valid JSON \(.*\); expected a view; correct the file$"):
        parse_view(b"{", where="v.json")


def test_the_documents_show_a_view_and_the_columns_as_they_are():
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    example = text.split("```json\n")[1].split("```")[0]
    assert parse_view(example.encode(), where="docs/formats.md").name == "mine"
    rows = text.split("| columns | type |")[1].split("\n\n")[0].splitlines()[2:]
    kinds = {"text": "text", "integer": "integer", "truth value": "flag", "number": "number"}
    told = [
        (name, kinds[row.split(" | ")[1].rstrip(" |")]) for row in rows for name in row[2:].split(" | ")[0].split(", ")
    ]
    assert told == [(column.name, column.kind) for column in COLUMNS]
