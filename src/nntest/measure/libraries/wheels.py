"""Versions of libraries from wheels, each under a prefix of its own, so that several stand beside each other.

pip does all the work: it knows the index, the mirror and the certificates that the user has set up for it.
"""

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nntest.errors import MissingPartError
from nntest.measure.libraries.places import installed_root

_TIMEOUT_S = 900
_QUESTION_TIMEOUT_S = 10
_QUIET = ("--disable-pip-version-check", "--no-input")
_INSTALL = ("install", "--no-deps", "--ignore-installed", "--only-binary=:all:", "--quiet")


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """One file that pip would fetch; ``size_mb`` (10^6 bytes) is None where the server does not tell."""

    package: str
    version: str
    url: str
    size_mb: float | None


def offered(package: str) -> list[str]:
    """Return the versions that pip offers for this machine, newest first.

    Raises
    ------
    MissingPartError
        pip knows no such package, or cannot ask.
    """
    for line in _pip(["index", "versions", package]).splitlines():
        if line.startswith("Available versions:"):
            return [word.strip() for word in line.partition(":")[2].split(",")]
    return []


def resolve(packages: Sequence[str], version: str = "", needs: Sequence[str] = ()) -> list[Wheel]:
    """Ask pip which files it would fetch for these packages, all of one version; the newest without ``version``.

    The newest of what they need (``needs``) come after them.

    Raises
    ------
    MissingPartError
        There is no such version for this machine.
    """
    wanted = [*(f"{package}=={version}" if version else package for package in packages), *needs]
    report = json.loads(_pip([*_INSTALL, "--dry-run", "--report=-", *wanted]))
    wheels = []
    for item in report["install"]:
        url = item["download_info"]["url"]
        words = item["metadata"]
        wheels.append(Wheel(package=words["name"], version=words["version"], url=url, size_mb=_size_mb(url)))
    return sorted(wheels, key=lambda wheel: wheel.package in needs)


def install(name: str, wheels: Sequence[Wheel], root: Path | None = None) -> Path:
    """Fetch wheels into a prefix below ``root`` and return it; one that is there already is kept.

    The prefix appears when it is complete.

    Raises
    ------
    MissingPartError
        pip could not do it.
    """
    root = installed_root() if root is None else root
    prefix = root / f"{name}-{wheels[0].version}"
    if prefix.is_dir():
        return prefix
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=root, ignore_cleanup_errors=True) as temporary:
        made = Path(temporary) / "prefix"
        wanted = [f"{wheel.package}=={wheel.version}" for wheel in wheels]
        _pip([*_INSTALL, "--no-warn-script-location", f"--prefix={made}", *wanted])
        try:
            made.rename(prefix)
        except OSError:
            if not prefix.is_dir():  # not another one that was faster
                raise
    return prefix


def _pip(arguments: Sequence[str]) -> str:
    command = [sys.executable, "-m", "pip", *_QUIET, *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise MissingPartError(f"pip: it took more than {_TIMEOUT_S} s; try again when the network is better") from None
    if answer.returncode != 0:
        lines = [line.partition("ERROR:")[2].strip() for line in answer.stderr.splitlines() if "ERROR:" in line]
        reason = (lines or answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        raise MissingPartError(f"pip: {reason}; `nntest install LIBRARY --versions` lists what there is")
    return answer.stdout


def _size_mb(url: str) -> float | None:
    if not url.startswith(("https:", "http:")):
        return None
    question = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(question, timeout=_QUESTION_TIMEOUT_S) as answer:
            length = answer.headers.get("Content-Length", "")
    except (urllib.error.URLError, TimeoutError, OSError):
        return None
    return int(length) / 1e6 if length.isdecimal() else None
