"""Versions from wheels: what is asked of pip, and that a prefix is complete as soon as it exists."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from nntest.errors import MissingPartError
from nntest.measure.libraries import wheels
from nntest.measure.libraries.wheels import Wheel

ONE = Wheel(package="one", version="2.0", url="file:///one.whl", size_mb=None)

Answer = Callable[[Sequence[str]], tuple[int, str, str]]


def pip_answers(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> list[list[str]]:
    """Let ``answer`` stand in for pip and return the arguments of its calls."""
    asked: list[list[str]] = []

    def run(command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        arguments = [word for word in command[3:] if word not in wheels._QUIET]
        asked.append(arguments)
        return subprocess.CompletedProcess(command, *answer(arguments))

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_versions_are_those_that_pip_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    pip_answers(monkeypatch, lambda _: (0, "one (2.0)\nAvailable versions: 2.0, 1.1, 1.0\n", ""))
    assert wheels.offered("one") == ["2.0", "1.1", "1.0"]


def test_what_would_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = {"metadata": {"name": "one", "version": "2.0"}, "download_info": {"url": "file:///one.whl"}}
    asked = pip_answers(monkeypatch, lambda _: (0, json.dumps({"install": [metadata]}), ""))
    assert wheels.resolve(["one"], "2.0") == [ONE]
    assert asked[0][0] == "install"
    assert "--dry-run" in asked[0]
    assert asked[0][-1] == "one==2.0"


def test_what_a_package_needs_comes_after_it_in_a_version_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"needed": "25.12", "one": "2.0"}
    items = [
        {"metadata": {"name": name, "version": version}, "download_info": {"url": f"file:///{name}.whl"}}
        for name, version in names.items()
    ]
    asked = pip_answers(monkeypatch, lambda _: (0, json.dumps({"install": items}), ""))
    wanted = wheels.resolve(["one"], "2.0", needs=["needed"])
    assert asked[0][-2:] == ["one==2.0", "needed"]
    assert [(wheel.package, wheel.version) for wheel in wanted] == [("one", "2.0"), ("needed", "25.12")]


def test_a_version_that_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ERROR: Could not find it (from versions: 1.0)\nERROR: No matching distribution found for one==9\n"
    pip_answers(monkeypatch, lambda _: (1, "", said))
    with pytest.raises(MissingPartError) as caught:
        wheels.resolve(["one"], "9")
    assert str(caught.value) == (
        "pip: No matching distribution found for one==9; `nntest install LIBRARY --versions` lists what there is"
    )


def test_a_prefix_is_made_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(arguments: Sequence[str]) -> tuple[int, str, str]:
        prefix = next(Path(word.partition("=")[2]) for word in arguments if word.startswith("--prefix="))
        (prefix / "lib").mkdir(parents=True)
        return 0, "", ""

    asked = pip_answers(monkeypatch, fetch)
    assert wheels.install("one-cpu", [ONE], tmp_path) == tmp_path / "one-cpu-2.0"
    assert wheels.install("one-cpu", [ONE], tmp_path) == tmp_path / "one-cpu-2.0"
    assert len(asked) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["one-cpu-2.0"]


def test_nothing_is_left_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_answers(monkeypatch, lambda _: (1, "", "no network"))
    with pytest.raises(MissingPartError, match="pip: no network; "):
        wheels.install("one-cpu", [ONE], tmp_path)
    assert list(tmp_path.iterdir()) == []
