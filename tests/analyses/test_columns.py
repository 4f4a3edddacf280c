import pandas as pd
import pytest

from nntest.analyses.columns import ANSWER, CASE, QUESTION, nearest, present, require
from nntest.errors import DataError
from tests.analyses.frames import COLUMNS


def test_a_case_is_question_answer_and_dataset() -> None:
    assert set(CASE) == {*QUESTION, *ANSWER, "dataset"}
    assert set(CASE) <= set(COLUMNS)


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(DataError) as caught:
        require(pd.DataFrame({"shape": []}), ["time_us", "shape", "library"], where="speedup")
    assert str(caught.value) == (
        "speedup: the points lack the columns time_us, library; expected the columns of nntest.load; "
        "choose another source or add them"
    )


def test_present_keeps_the_order_asked_for() -> None:
    assert present(pd.DataFrame({"b": [], "a": []}), ["a", "c", "b"]) == ["a", "b"]


def test_nearest() -> None:
    assert nearest("shap", ["shape", "platform"]) == "did you mean shape?"
    assert nearest("q", []) == "known: none"
