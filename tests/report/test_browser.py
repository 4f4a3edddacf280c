"""The page in a real browser; skipped where none is installed."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nntest.analyses.contract import Frames
from nntest.report import write_report
from tests.analyses.frames import network, repetitions, row, session, typed

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
EVIL = "<script>document.title='owned'</script>"
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and its driver are not installed (apt install chromium-driver)"
)


class Browser:
    """Headless Chromium with everything that it logs and asks for."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        flags = "headless=new no-sandbox disable-gpu disable-dev-shm-usage no-first-run disable-background-networking"
        for word in (*flags.split(), f"user-data-dir={profile}", "window-size=1280,1000"):
            options.add_argument(f"--{word}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=str(DRIVER)))

    def open(self, page: Path) -> None:
        self.complaints()
        self.asked()
        self.driver.get(page.as_uri())

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def waits_for(self, script: str) -> bool:
        from selenium.webdriver.support.ui import WebDriverWait

        return bool(WebDriverWait(self.driver, 30).until(lambda driver: driver.execute_script(script)))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def asked(self) -> list[str]:
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    points = typed([*session().to_dict("records"), *repetitions([5.0] * 10, model=EVIL, shape=EVIL, platform=EVIL)])
    return write_report(Frames(points=points, networks=network()), out, analyses=["adaptive", "speedup", "violin"])[-1]


def test_nothing_leaves_the_page_and_nothing_is_wrong_whatever_is_opened(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true")
    assert browser.waits_for(
        "return [...document.querySelectorAll('.explore .stage')].every((stage) => stage.querySelector('svg'))"
    )
    assert browser.run("return document.querySelectorAll('.explore').length") == 3
    assert browser.complaints() == []
    assert [url for url in browser.asked() if not url.startswith(("data:", "blob:")) and url != page.as_uri()] == []


def test_charts_show_what_the_pointer_is_on_and_filter_by_the_legend(browser: Browser, page: Path) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    browser.open(page)
    browser.run("document.querySelector('#speedup .explore').open = true")
    assert browser.waits_for("return document.querySelector('#speedup .stage .mark-symbol.role-mark path')")
    marks = "return document.querySelectorAll('#speedup .stage .mark-symbol.role-mark path').length"
    before = browser.run(marks)
    stage = browser.driver.find_element(By.CSS_SELECTOR, "#speedup .stage")
    ActionChains(browser.driver).move_to_element(
        stage.find_element(By.CSS_SELECTOR, ".mark-symbol.role-mark path")
    ).perform()
    assert browser.waits_for(
        "return document.querySelector('#vg-tooltip-element.visible')?.textContent.includes('speedup')"
    )
    symbol = stage.find_element(By.CSS_SELECTOR, ".role-legend-symbol path")
    ActionChains(browser.driver).move_to_element(symbol).pause(0.1).click().perform()
    assert browser.waits_for(f"{marks} < {before}")
    assert browser.complaints() == []


def test_a_heading_sorts_its_table(browser: Browser, page: Path) -> None:
    browser.open(page)
    cells = "[...document.querySelectorAll('#fastest tbody tr')].map((row) => Number(row.cells[{0}].dataset.key))"
    index = browser.run(
        "const heads = [...document.querySelectorAll('#fastest th')].map((head) => head.textContent);"
        "const index = heads.indexOf('time'); document.querySelectorAll('#fastest th')[index].click(); return index"
    )
    times = browser.run("return " + cells.replace("{0}", str(index)))
    assert times == sorted(times)


def test_names_that_would_turn_the_text_are_written_out_and_long_ones_shortened(
    browser: Browser, tmp_path: Path
) -> None:
    acting, long = "evil\u202egpj.exe\u2066\x1b[31m", "long-" + "name-" * 200
    points = typed(
        [
            *repetitions([5.0] * 10, program=acting, library=acting, platform=acting),
            *repetitions([9.0] * 10, program=long, library=long, platform=acting),
        ]
    )
    page = write_report(Frames(points=points), tmp_path, analyses=["speedup", "points"])[-1]
    browser.open(page)
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true")
    assert browser.waits_for(
        "return [...document.querySelectorAll('.explore .stage')].every((stage) => stage.querySelector('svg'))"
    )
    # what a reader sees: no scripts, nothing hidden
    shown = browser.run("return document.body.innerText")
    assert "evil\\u202egpj.exe\\u2066\\x1b[31m" in shown
    assert not set("\u202e\u2066\x1b") & set(shown)
    assert long in shown
    assert len(browser.run("return document.querySelector('h1').textContent")) < 150
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.complaints() == []
    # a picture of it: not blank
    assert len(browser.driver.get_screenshot_as_png()) > 20_000


def test_a_model_named_script_shows_as_text(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.run("return document.title") != "owned"
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true")
    assert EVIL in browser.run("return document.body.innerText")


def test_a_phone_scrolls_in_one_direction_only(browser: Browser, page: Path) -> None:
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    )
    browser.open(page)
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_an_unknown_interval_draws_no_warning(browser: Browser, tmp_path: Path) -> None:
    points = typed([row(time_us=50.0), row(time_us=100.0, program="base", library="plain-cpu")])
    browser.open(write_report(Frames(points=points), tmp_path, analyses=["speedup"])[-1])
    browser.run("document.querySelector('.explore').open = true")
    assert browser.waits_for("return document.querySelector('.stage svg')")
    assert browser.complaints() == []


def test_paper_holds_each_chart_whole_and_no_long_table(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    rows = "[...document.querySelectorAll('details[open]')].map((part) => part.querySelectorAll('tbody tr').length)"
    assert 0 < max(browser.run(f"return {rows}")) <= 60
    wholes = browser.run("return document.querySelectorAll('.chart.whole').length")
    assert wholes == browser.run(
        "return [...document.querySelectorAll('.chart svg')].filter((svg) => "
        "svg.viewBox.baseVal.height < 2 * svg.viewBox.baseVal.width).length"
    )


def test_a_phone_shows_the_whole_legend_of_a_chart(browser: Browser, page: Path) -> None:
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    )
    browser.open(page)
    browser.run("document.querySelector('#speedup .explore').open = true")
    assert browser.waits_for("return document.querySelector('#speedup .stage .role-legend')")
    right = "return Math.max(...[...document.querySelectorAll('#speedup .stage .role-legend-label text')].map("
    assert browser.run(f"{right}(text) => text.getBoundingClientRect().right))") <= 390
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
