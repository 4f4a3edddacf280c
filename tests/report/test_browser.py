"""The page in a real browser; skipped where none is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.run import run_analysis
from nntest.report import publish
from tests.analyses.frames import network, session

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt install chromium)")
def test_the_page_runs_without_an_error_or_a_refused_request(tmp_path: Path) -> None:
    for name in ("speedup", "violin", "adaptive"):
        run_analysis(name, Frames(points=session(), networks=network()), {}, tmp_path / "out", publish=publish)
    done = subprocess.run(
        [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
         (tmp_path / "out" / "report.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line or "Refused" in line] == []
    # the script ran: long tables got their filter, headings can be reached by keyboard
    assert 'placeholder="Filter these rows"' in done.stdout
    assert 'tabindex="0"' in done.stdout
