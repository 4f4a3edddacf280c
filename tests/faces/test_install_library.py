"""``nntest install``: what is said before anything is fetched."""

from pathlib import Path

import pytest

from nntest.faces import cli
from nntest.measure.libraries import wheels
from nntest.measure.libraries.wheels import Wheel


@pytest.fixture(autouse=True)
def _offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wheel = Wheel(package="scipy-openblas32", version="0.3.27.44.5", url="https://x.org/a.whl", size_mb=11.26)
    monkeypatch.setattr(wheels, "resolve", lambda packages, version, needs: [wheel])
    monkeypatch.setattr(wheels, "offered", lambda package: ["2.0", "1.0"])


def test_size_and_source_come_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["install", "openblas-cpu", "0.3.27.44.5"]) == 0
    assert capsys.readouterr().out == (
        f"would be fetched by `nntest install --yes`, into {tmp_path}/nntest/libraries:\n"
        "  scipy-openblas32 0.3.27.44.5, 11.3 MB, https://x.org/a.whl\n"
    )


def test_versions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["install", "openblas-cpu", "--versions"]) == 0
    assert capsys.readouterr().out == "2.0\n1.0\n"


def test_what_cannot_be_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["install", "plain-cpu"]) == 2
    assert capsys.readouterr().err == "nntest: plain-cpu: it comes with NNTest, there is nothing to install\n"
    assert cli.main(["install", "blis"]) == 2
    assert "library blis: unknown; expected one of onednn-cpu" in capsys.readouterr().err
