import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.run import run_analysis
from nntest.report import compose, publish
from nntest.report.explore import drawing_library
from nntest.units import printable
from tests.analyses.frames import network, repetitions, session, typed

FRAMES = Frames(points=session(), networks=network())


class Page(HTMLParser):
    """Collects text, attributes that refer to something, and how elements nest."""

    VOID = frozenset({"meta", "link", "br", "input", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.references: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [
            value or "" for name, value in attributes if name in ("href", "src", "xlink:href", "srcset")
        ]
        self.ids += [value or "" for name, value in attributes if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    run_analysis("violin", FRAMES, {"where": "species=fullyconnected"}, out, publish=publish)
    run_analysis("speedup", FRAMES, {"baseline": "library:plain-cpu"}, out, publish=publish)
    run_analysis("adaptive", FRAMES, {"network": "mobilenets-v1-1.0-224"}, out, publish=publish)
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_elements_are_closed_and_ids_are_unique(page: Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_nothing_leaves_the_page(folder: Path, page: Page) -> None:
    assert {reference.split(":")[0] if ":" in reference else reference[0] for reference in page.references} == {
        "#",
        "data",
    }
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    own = re.sub(r'<script class="library">.*?</script>', "", text, flags=re.DOTALL)
    outside = set(re.findall(r"https?://[^\"' <)]+", own))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_sections_stand_in_the_order_of_reading(page: Page) -> None:
    sections = [name for name in page.ids if name in ("adaptive", "speedup", "violin", "fastest", "measured")]
    assert sections == ["fastest", "adaptive", "speedup", "violin", "measured"]


def test_the_head_says_what_was_measured_and_who_is_fastest(page: Page) -> None:
    words = " ".join(" ".join(page.text).split())
    assert "Operators of neural-network libraries on AMD EPYC 9005" in words
    assert "fullyconnected: oneDNN 3.2.0 is fastest on the only one (sure)." in words
    assert "crash: SIGSEGV" in words
    assert "oneDNN 3.2.0" in words
    assert "OpenBLAS 0.3.34" in words


def test_that_nothing_is_stable_stands_first(tmp_path: Path) -> None:
    noisy = [100.0, 130.0, 80.0, 120.0, 70.0, 140.0, 90.0, 110.0, 100.0, 75.0]
    points = typed(
        [{**row, "trust": "unstable"} for row in repetitions(noisy)]
        + [{**row, "trust": "unstable"} for row in repetitions(noisy[::-1], program="p", library="q")]
    )
    run_analysis("violin", Frames(points=points), {}, tmp_path, publish=publish)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    first, second = re.findall(r"<li>(.*?)</li>", text)[:2]
    assert first == "None of the 2 cases is stable; differences below are indications."
    assert second == "conv: the two fastest are not told apart."
    fastest = text[text.index('<section id="fastest">') : text.index("</section>")]
    assert "<b>" not in fastest
    assert '<span class="pill undecided">not told apart</span>' in fastest


def test_references_inside_charts_lead_somewhere(page: Page) -> None:
    inside = {reference[1:] for reference in page.references if reference.startswith("#")}
    assert inside <= set(page.ids)


def test_charts_take_the_pages_colours(folder: Path) -> None:
    text = (folder / "speedup.section.html").read_text(encoding="utf-8")
    assert "var(--ink)" in text
    assert "#24292f" not in text.lower()


def test_rebuilding_changes_nothing(folder: Path) -> None:
    before = (folder / "report.html").read_bytes()
    assert compose(folder).read_bytes() == before


def test_names_from_points_show_as_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    rows = repetitions([1.0, 2.0] * 5, library=evil, program=evil, model=evil, shape=evil, platform=evil, dataset=evil)
    rows += repetitions(
        [2.0, 4.0] * 5,
        library="b",
        program="b",
        model=evil,
        shape=evil,
        platform=evil,
        trust="failed",
        fail_reason=evil,
        success=False,
    )
    rows += repetitions([2.0, 4.0] * 5, library="$c$&\"'", program="$c$&\"'", model=evil, shape=evil, platform=evil)
    points = typed(rows)
    for name in ("adaptive", "speedup", "violin"):
        run_analysis(name, Frames(points=points), {}, tmp_path, publish=publish)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert evil not in text
    assert "<script>alert" not in text
    found = Page(text)
    # the data of three charts, what draws them, and the page's own
    assert found.tags.count("script") == 3 + 1 + 1
    assert evil in " ".join(found.text)


def test_nothing_from_points_acts_on_the_page(tmp_path: Path) -> None:
    """Marks that turn the direction of a text, and control characters, are written out wherever a name may go."""
    acting = "a\u202eb\u2066\x1b\x9b\x00c\u200f\n"
    names = dict.fromkeys(("library", "program", "model", "shape", "platform", "dataset", "cpu", "os"), acting)
    rows = repetitions([1.0, 2.0] * 5, **names)
    rows += repetitions([2.0, 4.0] * 5, **{**names, "library": "b", "program": "b"})
    rows += repetitions([2.0], **{**names, "program": "c"}, trust="failed", success=False, fail_reason=acting)
    for name in ("adaptive", "speedup", "violin", "points", "platform"):
        run_analysis(name, Frames(points=typed(rows)), {}, tmp_path, publish=publish)
    for file in ("report.html", "speedup.svg", "violin.svg"):
        text = (tmp_path / file).read_text(encoding="utf-8")
        # what stands in the drawing library is not ours
        text = text.replace(drawing_library(), "")
        assert [letter for letter in text if printable(letter) != letter] == []
        assert "a\\u202eb\\u2066\\x1b\\x9b\\x00c\\u200f" in text
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    data = [json.loads(found) for found in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page)]
    assert data
    assert all(printable(text) == text for text in texts_of(data))


def texts_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) else []


def test_an_empty_folder_makes_an_empty_report(tmp_path: Path) -> None:
    assert "No section yet" in compose(tmp_path).read_text(encoding="utf-8")


def test_a_section_without_evidence_is_shown_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.section.html").write_text('<section id="mine"><h2>By hand &amp; mine</h2></section>')
    text = compose(tmp_path).read_text(encoding="utf-8")
    assert '<section id="mine">' in text
