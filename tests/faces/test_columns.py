"""Plain tables and counted nouns."""

import pytest

from nntest.faces.columns import columns, count_of


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert list(columns(("a", "long", "rest"), [("xyz", 1, "one two"), ("", 22, "")])) == [
        "a    long  rest",
        "xyz  1     one two",
        "     22",
    ]


@pytest.mark.parametrize(
    ("count", "noun", "words"), [(1, "case", "1 case"), (2, "case", "2 cases"), (0, "launch", "0 launches")]
)
def test_count_of(count: int, noun: str, words: str) -> None:
    assert count_of(count, noun) == words
