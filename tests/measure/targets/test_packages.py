"""Packages of another architecture; apt itself is stood in for, so that no network is needed."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from nntest.errors import MissingPartError, NNTestError
from nntest.measure.targets import packages
from nntest.measure.targets.packages import Packages


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.touch()
    monkeypatch.setattr(packages, "_KEYRING", keys)
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/usr/bin/{name}")


def answer(monkeypatch: pytest.MonkeyPatch, *, code: int = 0, out: str = "", err: str = "") -> list[list[str]]:
    """Let every command answer this; return the list that the commands are noted in."""
    asked: list[list[str]] = []

    def run(command: Any, **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(list(command))
        return subprocess.CompletedProcess(command, code, out, err)

    monkeypatch.setattr(packages.subprocess, "run", run)
    return asked


def test_a_system_without_apt_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.shutil, "which", lambda _: None)
    with pytest.raises(MissingPartError) as failed:
        Packages(tmp_path, "arm64", ["libc6"])
    assert str(failed.value) == (
        "apt-get: it was not found; expected a system with Debian's package tools; "
        "use one (a container does), or an Arm machine"
    )


def test_no_network_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, code=100, err="W: x\nE: Failed to fetch http://m/InRelease  Could not resolve 'm'\nE: more\n")
    with pytest.raises(NNTestError) as failed:
        Packages(tmp_path, "arm64", ["libc6"], mirror="http://m").refresh()
    assert str(failed.value) == (
        "apt-get update: Failed to fetch http://m/InRelease  Could not resolve 'm'; expected packages from http://m; "
        "check the network (a proxy is read from http_proxy) and run the command again: it goes on"
    )


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Packages(tmp_path, "arm64", ["libc6", "zlib1g"])
    lines = (
        "'http://m/libc6_1.deb' libc6_1_arm64.deb 2000000 SHA256:0\n'http://m/z.deb' zlib1g_2_arm64.deb 500000 X:0\n"
    )
    asked = answer(monkeypatch, out=lines)
    wanted.refresh()
    assert wanted.download_mb() == 2.5
    (tmp_path / "archives" / "libc6_1_arm64.deb").touch()
    assert wanted.download_mb() == 0.5
    wanted.fetch()
    assert [command for command in asked if "-q" in command and "download" in command] == [
        ["apt-get", "download", "-q", "zlib1g"]
    ]


def test_size_on_disk_is_the_sum_of_what_the_packages_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, out="Package: a\nInstalled-Size: 1000\n\nPackage: b\nInstalled-Size: 500\n")
    assert Packages(tmp_path, "arm64", ["a", "b"]).unpacked_mb() == pytest.approx(1.536)
