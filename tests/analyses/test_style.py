from pathlib import Path

from nntest.analyses.style import chart_style, library_colour, new_figure, ordered_subjects, save_figure, subject_styles


def test_a_librarys_colour_depends_on_nothing_but_its_name() -> None:
    alone = subject_styles([("conv-onednn-cpu", "onednn-cpu")])["conv-onednn-cpu"]["color"]
    among = subject_styles([("conv-plain-cpu", "plain-cpu"), ("conv-onednn-cpu", "onednn-cpu")])["conv-onednn-cpu"][
        "color"
    ]
    assert alone == among == library_colour("onednn-cpu")
    assert library_colour("onednn-cpu-2.6.3") == library_colour("onednn-cpu-3.2.0")
    assert library_colour("never-seen") == library_colour("never-seen")


def test_programs_of_one_library_differ_in_more_than_colour() -> None:
    styles = subject_styles([("a", "x"), ("b", "x"), ("c", "y")])
    assert styles["a"]["edge"] == styles["b"]["edge"]
    assert styles["a"]["hatch"] != styles["b"]["hatch"]
    assert styles["a"]["marker"] != styles["b"]["marker"]
    assert styles["a"]["color"] != styles["b"]["color"]


def test_subjects_have_one_order_everywhere() -> None:
    assert ordered_subjects([("b", "x"), ("a", "y"), ("b", "x"), ("a", "x")]) == [("a", "x"), ("b", "x"), ("a", "y")]


def test_equal_charts_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with chart_style():
            figure = new_figure(3, 2)
            axes = figure.add_subplot()
            axes.barh([0], [1], hatch="//")
            axes.set_title("price in $ and $")
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert "price in $ and $" in (tmp_path / "one.svg").read_text()
    assert "<dc:date>" not in (tmp_path / "one.svg").read_text()
