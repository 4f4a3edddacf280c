"""``nntest bisect``: what is said before anything is fetched, and at the end."""

import pytest

from nntest.faces import ab, cli
from nntest.measure import bisection
from nntest.measure.bisection import Step
from nntest.measure.libraries import wheels

COMMAND = ["bisect", "onednn-cpu", "1", "5", "--program=conv-onednn-cpu", "--dataset=tensor-conv-synthetic"]


@pytest.fixture(autouse=True)
def _offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "offered", lambda _package: ["6", "5", "4", "3", "2", "1"])
    monkeypatch.setattr(ab, "measure", lambda *_: pytest.fail("nothing is to be measured"))


def test_versions_are_told_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(COMMAND) == 0
    assert capsys.readouterr().out == (
        "5 versions from 1 to 5: 1, 2, 3, 4, 5\nwould fetch and measure about 3 of them against 1; add --yes to do so\n"
    )


def test_the_version_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(_self: object, version: str) -> Step:
        return Step(version=version, verdict="bad" if int(version) >= 4 else "good", ratio=1.25)

    monkeypatch.setattr(bisection.Judge, "__call__", judge)
    assert cli.main([*COMMAND, "--yes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "5: bad, 1.250 of the good version's time"
    assert lines[-1] == "the slow-down came with 4; 3 does not have it"


def test_neighbours_that_cannot_be_told_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(_self: object, version: str) -> Step:
        verdicts = {"5": "bad", "2": "good"}
        return Step(version=version, verdict=verdicts.get(version, "undecided"), ratio=1.05)  # type: ignore[arg-type]

    monkeypatch.setattr(bisection.Judge, "__call__", judge)
    assert cli.main([*COMMAND, "--yes"]) == 4
    assert capsys.readouterr().out.splitlines()[-1] == "the slow-down came after 2, in one of 3, 4, 5"
