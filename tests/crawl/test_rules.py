import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.crawl.rules import CodedColumn, Documents, numbers, to_number, to_text
from nntest.crawl.views import _Parser

TAGS = ("nntest", "conv-armcl", "armcl-18.05", "conv")


def rules(*words):
    return _Parser("test").rules(list(words), "column")


def values(kind, documents, *words, tags=TAGS):
    column = CodedColumn(kind, rules(*words))
    codes = column.evaluate(Documents(documents, [tags] * len(documents)))
    found = [*column.categories, None]
    return [found[code] for code in codes]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"tag": 2}, "armcl-18.05"),
        ({"tag": -1}, "conv"),
        ({"tag": 4}, None),
        ({"tag": -5}, None),
        ({"tag_in": ["softmax", "conv"]}, "conv"),
        ({"tag_like": r"^armcl-\d"}, "armcl-18.05"),
        ({"tag_like": r"^armcl-\d", "strip": "^armcl-"}, "18.05"),
        ({"tag_like": "nothing"}, None),
        ({"constant": "x"}, "x"),
    ],
)
def test_tags_and_constants(rule, expected):
    assert values("text", [{}], rule) == [expected]


def test_the_first_rule_that_finds_something_counts():
    documents = [{"a": "1"}, {"a": "", "b": "2"}, {"a": None, "b": None}, {"a": "-", "b": "2"}]
    found = values("text", documents, {"path": "a", "na_values": ["-"]}, {"path": "b"}, {"constant": "none"})
    assert found == ["1", "2", "none", "2"]


def test_a_map_knows_all_others():
    rule = {"path": "a", "map": {"0": "fp32", "*": "fp16"}}
    assert values("text", [{"a": 0}, {"a": "0"}, {"a": 1}, {"a": 0.0}, {}], rule) == [
        "fp32",
        "fp32",
        "fp16",
        "fp32",
        None,
    ]


def test_a_path_leads_through_objects_only():
    assert values("text", [{"a": {"b": "x"}}, {"a": "b"}, {"a": ["b"]}, {"a": 1}, [], 7], {"path": "a.b"}) == [
        "x",
        *[None] * 5,
    ]


def test_texts_are_cleaned_and_lists_joined():
    documents = [{"a": "board\0 "}, {"a": "\0"}, {"a": ["b", "a"]}, {"a": []}, {"a": {}}, {"a": [{}]}, {"a": "\ud800"}]
    assert values("text", documents, {"path": "a"}) == ["board", None, "a+b", None, None, None, "?"]


def test_flags_and_integers_take_nothing_else():
    assert values("flag", [{"a": True}, {"a": "no"}, {"a": "perhaps"}, {"a": 1}], {"path": "a"})[:3] == [
        True,
        False,
        None,
    ]
    assert values("integer", [{"a": "8"}, {"a": 2.0}, {"a": 2.5}, {"a": "x"}, {"a": 1e300}], {"path": "a"}) == [
        8,
        2,
        None,
        None,
        None,
    ]


def test_numbers_fall_back_scale_and_forget():
    documents = Documents([{"a": 1}, {"a": 0.0, "b": "2"}, {"a": True}, {"b": math.inf}], [TAGS] * 4)
    found = numbers(rules({"path": "a", "scale": 10, "na_values": [0]}, {"path": "b"}), documents)
    assert found == [10.0, 2.0, None, None]


@given(st.none() | st.booleans() | st.floats() | st.integers() | st.text())
def test_a_number_is_finite_or_unknown(value):
    number = to_number(value)
    assert number is None or math.isfinite(number)


@given(st.text() | st.integers() | st.booleans() | st.floats())
def test_a_text_can_be_encoded_or_is_unknown(value):
    text = to_text(value)
    assert text is None or (text.encode() and "\0" not in text)
