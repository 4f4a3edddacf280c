import numpy as np
import orjson
import pandas as pd

from nntest.report.explore import MAX_QUESTIONS, MAX_ROWS, drawing_library, specification


def test_the_first_known_value_is_drawn_with_its_interval() -> None:
    frame = pd.DataFrame({"shape": ["a", "b"], "library": ["onednn-cpu-3.2.0", "plain-cpu-1.0.0"],
                          "speedup": [1.23456789, 2.0], "ci_low": [1.0, 1.5], "ci_high": [1.5, 2.5]})  # fmt: skip
    found = specification(frame)
    assert found is not None
    assert [layer["mark"]["type"] for layer in found["layer"]] == ["rule", "point"]
    (values,) = found["datasets"].values() if "datasets" in found else [found["data"]["values"]]
    assert 1.23457 in values[0].values()
    scale = found["layer"][1]["encoding"]["color"]["scale"]
    assert scale["domain"] == ["oneDNN 3.2.0", "plain C++ 1.0.0"]


def test_a_table_without_a_value_has_no_chart() -> None:
    assert specification(pd.DataFrame({"platform": ["a"]})) is None
    assert specification(pd.DataFrame({"shape": ["a"], "time_us": [np.nan]})) is None


def test_no_chart_holds_more_than_a_page_can_carry() -> None:
    many = pd.DataFrame({"shape": np.arange(10_000).astype(str), "time_us": 1.0})
    found = specification(many)
    assert found is not None
    assert found["title"]["text"] == f"the first {MAX_QUESTIONS} of 10,000 shapes"
    found = specification(pd.DataFrame({"shape": "a", "time_us": np.arange(1.0, 10_001.0)}))
    assert found is not None
    assert found["title"]["text"] == f"{MAX_ROWS:,} of 10,000 rows, evenly taken"
    assert len(orjson.dumps(found)) < 200_000


def test_the_drawing_library_cannot_end_its_element() -> None:
    assert "</script" not in drawing_library()
    assert "vegaEmbed" in drawing_library()
