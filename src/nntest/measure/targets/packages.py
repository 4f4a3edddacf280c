"""Debian packages of any architecture, fetched and unpacked into a folder, with or without root.

apt works on a state of its own: neither the system's package lists nor its packages are touched.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nntest.errors import MissingPartError, NNTestError

MIRROR = "http://deb.debian.org/debian"
# The release whose packages were tried; it is fetched whatever this machine runs.
RELEASE = "bookworm"
RELEASE_TITLE = "Debian GNU/Linux 12 (bookworm)"

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TIMEOUT_S = 1800
_CONFIGURATION = """\
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Debug::NoLocking "1";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
"""


class Packages:
    """The packages of one architecture; everything that apt writes stands in ``folder``.

    Raises
    ------
    MissingPartError
        apt-get, dpkg-deb or Debian's keys are not there.
    """

    def __init__(self, folder: Path, architecture: str, names: Sequence[str], *, mirror: str = MIRROR) -> None:
        for tool in ("apt-get", "apt-cache", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise MissingPartError(
                    f"{tool}: it was not found; expected a system with Debian's package tools; "
                    "use one (a container does), or an Arm machine"
                )
        if not _KEYRING.is_file():
            raise MissingPartError(
                f"{_KEYRING}: Debian's keys were not found; install them with `apt install debian-archive-keyring`"
            )
        self._folder = folder
        self._architecture = architecture
        self._names = tuple(names)
        self._mirror = mirror
        self._archives = folder / "archives"

    def refresh(self) -> None:
        """Fetch the list of what there is."""
        for name in ("state/lists/partial", "cache/archives/partial", "archives"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        source = f"deb [signed-by={_KEYRING}] {self._mirror} {RELEASE} main\n"
        (self._folder / "sources.list").write_text(source)
        words = {"architecture": self._architecture, "folder": str(self._folder)}
        (self._folder / "apt.conf").write_text(_CONFIGURATION.format(**words))
        self._run("apt-get", "update", "-q")

    def download_mb(self) -> float:
        """Size of what is still to be fetched, in MB."""
        lines = self._run("apt-get", "download", "--print-uris", *self._names).splitlines()
        sizes = [line.split()[1:3] for line in lines if line.startswith("'")]
        return sum(int(size) for name, size in sizes if not (self._archives / name).is_file()) / 1e6

    def unpacked_mb(self) -> float:
        """Size of the packages' files on disk, in MB."""
        text = self._run("apt-cache", "show", "--no-all-versions", *self._names)
        return sum(int(size) for size in re.findall(r"^Installed-Size: (\d+)$", text, re.MULTILINE)) * 1024 / 1e6

    def fetch(self) -> None:
        """Fetch what is not there yet; what is there already is kept, so that a second attempt goes on."""
        lines = self._run("apt-get", "download", "--print-uris", *self._names).splitlines()
        missing = [
            line.split()[1].partition("_")[0]
            for line in lines
            if line.startswith("'") and not (self._archives / line.split()[1]).is_file()
        ]
        for name in missing:
            # one by one: apt moves a package here when it is whole, so that an interruption costs one
            self._run("apt-get", "download", "-q", name)

    def unpack(self, target: Path) -> list[str]:
        """Unpack everything into ``target``, which is complete as soon as it exists; return names and versions."""
        made = target.with_name(target.name + ".new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        archives = sorted(self._archives.glob("*.deb"))
        for archive in archives:
            self._run("dpkg-deb", "-x", str(archive), str(made))
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
        return [archive.stem.replace("%3a", ":") for archive in archives]

    def _run(self, *command: str) -> str:
        try:
            answer = subprocess.run(
                command,
                cwd=self._archives,
                env={**os.environ, "APT_CONFIG": str(self._folder / "apt.conf"), "LC_ALL": "C"},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NNTestError(f"{command[0]}: no end after {_TIMEOUT_S} s; it was stopped; try again") from None
        if answer.returncode != 0:
            lines = [line.strip() for line in answer.stderr.splitlines() if line.startswith(("E:", "Err", "dpkg"))]
            reason = lines[0].removeprefix("E: ") if lines else f"exit code {answer.returncode}"
            raise NNTestError(
                f"{' '.join(command[:2])}: {reason}; expected packages from {self._mirror}; "
                "check the network (a proxy is read from http_proxy) and run the command again: it goes on"
            )
        return answer.stdout
