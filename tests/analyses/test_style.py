import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from nntest.analyses.contract import Frames
from nntest.analyses.run import run_analysis
from nntest.analyses.style import (
    _KNOWN,
    chart_style,
    library_colour,
    new_figure,
    ordered_subjects,
    save_figure,
    subject_styles,
)
from tests.analyses.frames import repetitions, typed


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
    assert ordered_subjects([("batch 16", "x"), ("batch 8", "x")]) == [("batch 8", "x"), ("batch 16", "x")]


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


# Machado, Oliveira and Fernandes 2009, severity 1, on linear light
_SEEN = {
    "everybody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanope": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranope": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanope": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def _lab(colour: str, reader: str) -> np.ndarray:
    light = np.array(to_rgb(colour))
    light = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    light = np.clip(np.array(_SEEN[reader]) @ light, 0, 1)
    x, y, z = np.cbrt(np.array(_XYZ) @ light / np.array([0.95047, 1.0, 1.08883]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("reader", _SEEN)
def test_colours_of_libraries_differ_for_every_reader(reader: str) -> None:
    # 2.3 is a difference that is just seen side by side (CIE 1976)
    seen = {colour: _lab(colour, reader) for colour in set(_KNOWN.values())}
    near = [(a, b) for a, b in combinations(seen, 2) if np.linalg.norm(seen[a] - seen[b]) < 14]
    assert near == []


@pytest.mark.parametrize("name", ["adaptive", "schedule", "batch", "violin", "speedup"])
def test_absurd_names_leave_room_for_the_chart_and_no_warning(name: str, tmp_path: Path) -> None:
    absurd = ["long-" + "name-" * 60, "a" * 5000, "\u202eevil\x1b[31m", "\N{CJK UNIFIED IDEOGRAPH-540D}" * 30]
    rows = [
        item
        for number, one in enumerate(absurd)
        for shape in ("512-14-14-1-512-1-0", one)
        for item in repetitions([100.0 + number] * 10, program=one, library=one, shape=shape)
    ]
    # pytest makes an error of any warning
    run_analysis(name, Frames(points=typed(rows)), {}, tmp_path)
    text = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    assert max(len(words) for words in re.findall(r">([^<>]+)</text>", text)) < 150
    assert "a" * 5000 in (tmp_path / f"{name}.csv").read_text(encoding="utf-8")


def test_names_that_cannot_be_short_enough_get_a_larger_figure(tmp_path: Path) -> None:
    figure = new_figure(2.5, 2)
    axes = figure.add_subplot()
    axes.set_yticks([0, 1], ["W" * 60, "b"])
    svg, png = save_figure(figure, tmp_path / "wide")
    assert "W" * 16 + "…" + "W" * 7 in svg.read_text(encoding="utf-8")
    assert axes.get_position().width >= 0.25
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 > -0.1
    assert box.x1 < width + 0.1
    assert 2.5 < width < 7.5
    assert imread(png).shape[:2] == (round(height * 150), round(width * 150))


def test_words_beside_bars_stay_whole_where_another_turn_of_the_layout_makes_room(tmp_path: Path) -> None:
    said = "directconv-onednn-cpu ? conv-onednn-cpu  40.6 %"
    with chart_style():
        figure = new_figure(9, 2)
        axes = figure.add_subplot()
        axes.barh([0, 1], [1, 3])
        axes.set_xlim(0, 4.7)
        axes.set_yticks([0, 1], ["OpenBLAS 0.3.34 alone, end to end", "512-14-14-1-512-1-0"])
        axes.annotate(said, (3, 1), xytext=(4, 0), textcoords="offset points", fontsize=8.5)
    text = save_figure(figure, tmp_path / "beside")[0].read_text(encoding="utf-8")
    assert said in text
    assert figure.get_tightbbox().x1 < figure.get_size_inches()[0] + 0.1


def test_no_room_in_the_largest_figure_is_told(tmp_path: Path) -> None:
    figure = new_figure(2, 1)
    figure.add_subplot().set_title("\n".join(["line"] * 300))
    with pytest.warns(UserWarning, match="constrained_layout not applied"):
        save_figure(figure, tmp_path / "high")
    assert figure.get_size_inches()[1] == 3


@pytest.mark.parametrize("loc", ["left", "center", "right"])
def test_titles_and_all_legends_of_a_crowded_figure_are_shortened(loc: str, tmp_path: Path) -> None:
    with chart_style():
        figure = new_figure(4, 3)
        for axes in figure.subplots(2, 1):
            axes.set_yticks([0], ["y" * 300])
            axes.set_title("t" * 300, loc=loc)
            axes.plot([0], [0], label="a" * 300)
            axes.legend()
        figure.legend(axes.get_lines(), ["f" * 300], loc="outside lower center")
    text = save_figure(figure, tmp_path / "crowded")[0].read_text(encoding="utf-8")
    found = {words[0]: len(words) for words in re.findall(r">([tyaf][^<>]+…[^<>]+)</text>", text)}
    assert found == {"t": 56, "y": 24, "a": 24, "f": 24}


def test_a_title_of_a_crowded_figure_that_is_short_enough_keeps_its_words(tmp_path: Path) -> None:
    said = "Picked for each layer – ≈ a tie within 1 %, ? undecided"
    with chart_style():
        figure = new_figure(5, 3)
        axes = figure.add_subplot()
        axes.set_yticks([0], ["y" * 300])
        axes.set_title(said)
    assert said in save_figure(figure, tmp_path / "titled")[0].read_text(encoding="utf-8")
    assert figure.get_tightbbox().x1 < figure.get_size_inches()[0] + 0.1


def test_clips_are_named_alike_wherever_the_last_digit_of_a_layout_falls(tmp_path: Path) -> None:
    texts = []
    for width in (5.0, 5.0 + 1e-12):
        figure = new_figure(width, 3)
        for axes in figure.subplots(2, 1):
            axes.imshow(np.eye(2))
        texts.append(save_figure(figure, tmp_path / "clips")[0].read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    assert re.findall(r'<clipPath id="(\w+)"', texts[0]) == ["clip1", "clip2"]
    assert texts[0].count("url(#clip1)") >= 1
