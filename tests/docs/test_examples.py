"""Every example of the documentation is carried out, and prints what the documentation says.

A ``console`` block is carried out: lines that begin with ``$`` are commands, the lines below one are what it prints
(numbers may differ, ``...`` stands for lines left out). ``sh`` blocks are for reading; their commands must exist.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.programs.build import CACHE

CHECKOUT = Path(__file__).parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
BIN = Path(sys.executable).parent

_BLOCK = re.compile(r"^```(?P<kind>\w*)[^\n]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
# In this order: what looks like a number inside a longer thing goes with it.
_VARIES = (
    (re.compile(r"  +(stable|unstable)\b.*$"), ""),  # today's verdict on today's machine
    (re.compile(r"[0-9a-f]{16}"), "ID"),
    (re.compile(r"\b\d{14}\b"), "TIMESTAMP"),
    (re.compile(r"\b[\d.,]+ (ns|us|ms|s|min|h)\b"), "TIME"),
    (re.compile(r"\s+"), " "),
)


@dataclass
class Step:
    """A command and what it prints."""

    command: str
    output: list[str] = field(default_factory=list)


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["kind"] == "console":
            for line in block["body"].splitlines():
                if line.startswith("$ "):
                    found.append(Step(line[2:]))
                else:
                    found[-1].output.append(line)
    return found


def masked(line: str) -> str:
    for pattern, replacement in _VARIES:
        line = pattern.sub(replacement, line)
    return line.strip()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Make a newcomer's home in which set-up has run, and a CK repository as the folder to work in.

    Its builds and references are those of all tests: nothing is compiled or computed for each page again.
    """
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    own_cache = tmp_path / ".cache" / "nntest"
    own_cache.mkdir(parents=True)
    for name, shared in (("builds", CACHE), ("references", CACHE.parent / "references")):
        shared.mkdir(parents=True, exist_ok=True)
        (own_cache / name).symlink_to(shared)
    (tmp_path / "work" / ".ckr.json").write_text(
        '{"data_uoa": "mine", "data_uid": "00112233445566aa", "data_name": "mine"}\n'
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CK_", "XDG_", "NNTEST_"))}
    own = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp"), "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment = {**kept, **own, "COLUMNS": "120"}
    for command in ("python -m nntest.faces.install", f"ck import repo --path={tmp_path}/work --quiet"):
        subprocess.run(command.split(), env=environment, cwd=tmp_path, check=True, capture_output=True)
    return environment


@pytest.mark.native
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("page", [page for page in PAGES if steps(page)], ids=lambda page: page.name)
def test_the_examples_do_what_the_page_says(page: Path, environment: dict[str, str], tmp_path: Path) -> None:
    for step in steps(page):
        done = subprocess.run(
            ["sh", "-c", step.command],
            env=environment,
            cwd=tmp_path / "work",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"$ {step.command}\n{done.stdout}"
        printed = iter([masked(line) for line in done.stdout.splitlines()])
        for line in step.output:
            if line.strip() not in ("", "..."):
                assert masked(line) in printed, f"$ {step.command}\nprinted no (further) line {line!r}:\n{done.stdout}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for script in re.findall(r"\bsh (script/\S+\.sh)", text):
        assert (CHECKOUT / script).is_file(), script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)", text):
        assert (page.parent / target).exists(), target
