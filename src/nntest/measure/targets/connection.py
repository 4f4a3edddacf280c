"""One ssh connection to a board: commands run on it and files put there, without a word asked of anybody."""

import contextlib
import re
import shlex
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nntest.errors import ConnectionLostError, MissingPartError, NNTestError, UsageError

PREFIX = "ssh:"
#: Variable with a configuration file for ssh, in place of the user's own.
CONFIG_VARIABLE = "NNTEST_SSH_CONFIG"

_ADDRESS = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)(?::(?P<port>\d+))?"
)
_LOST = 255  # ssh's own exit code for what is no fault of the command
_TIMEOUT_S = 120.0
_PUT = """mkdir -p "$(dirname "$1")" && part="$1.part.$$" &&
cat > "$part" && chmod 755 "$part" && mv "$part" "$1\""""
_OPTIONS = (
    *("-o", "BatchMode=yes"),  # no password is ever asked for
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)


@dataclass(frozen=True)
class Address:
    """Where a board is, as ssh takes it."""

    user: str
    host: str
    port: str

    @classmethod
    def parse(cls, target: str) -> "Address":
        """Read ``ssh:user@board`` or ``ssh:user@board:port``; the user may be left out.

        Raises
        ------
        UsageError
            It is no such address.
        """
        match = _ADDRESS.fullmatch(target.removeprefix(PREFIX))
        if match is None:
            raise UsageError(f"target: {target!r} was given; expected ssh:user@board or ssh:user@board:port")
        return cls(user=match["user"] or "", host=match["host"], port=match["port"] or "")

    @property
    def destination(self) -> str:
        """What stands behind ssh's options."""
        return f"{self.user}@{self.host}" if self.user else self.host


class Connection:
    """Commands share one connection, which is made anew when it was lost.

    Raises
    ------
    MissingPartError
        There is no ssh.
    """

    def __init__(self, address: Address, environ: Mapping[str, str]) -> None:
        if shutil.which("ssh") is None:
            raise MissingPartError("ssh: it was not found; install it with `apt install openssh-client`")
        self._address = address
        config = environ.get(CONFIG_VARIABLE, "")
        self._options = [
            *(["-F", config] if config else []),
            *_OPTIONS,
            *(["-p", address.port] if address.port else []),
        ]
        # a socket's path may not be long
        folder = tempfile.mkdtemp(prefix="nntest-ssh-")
        self._control = Path(folder) / "control"
        control = ["-O", "exit", "-o", f"ControlPath={self._control}", "--", address.destination]
        self._ending = weakref.finalize(self, _end, ["ssh", *self._options, *control], folder)

    @property
    def name(self) -> str:
        """What messages call the board."""
        return f"{PREFIX}{self._address.destination}"

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the local command that runs words on the board; its shell sees every word quoted.

        Raises
        ------
        ConnectionLostError
            The board cannot be reached.
        """
        return self.shell(shlex.join(words))

    def shell(self, text: str) -> list[str]:
        """Return the local command that has the board's shell run a text of ours."""
        self._connect()
        control = ["-o", "ControlMaster=no", "-o", f"ControlPath={self._control}"]
        return ["ssh", *self._options, *control, "--", self._address.destination, text]

    def run(self, words: Sequence[str], *, data: bytes = b"", timeout_s: float = _TIMEOUT_S) -> bytes:
        """Run words on the board and return what they print.

        Raises
        ------
        ConnectionLostError
            The board cannot be reached, or does not answer in time.
        NNTestError
            The command failed.
        """
        try:
            answer = subprocess.run(
                self.command(words), input=data, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise ConnectionLostError(f"{self.name}: no answer within {timeout_s:g} s") from None
        if answer.returncode == _LOST:
            raise ConnectionLostError(f"{self.name}: {_last_line(answer.stderr) or 'the connection was lost'}")
        if answer.returncode != 0:
            reason = _last_line(answer.stderr) or f"exit code {answer.returncode}"
            raise NNTestError(f"{self.name}: {words[0]} failed: {reason}; see to the board")
        return answer.stdout

    def put(self, local: Path, remote: str) -> None:
        """Copy a file onto the board unless it is there; it is complete as soon as it has its name."""
        if self.run(["sh", "-c", 'test -e "$1" && echo there || true', "look", remote]):
            return
        self.run(["sh", "-c", _PUT, "put", remote], data=local.read_bytes())

    def _connect(self) -> None:
        if self._control.exists() and self._alive():
            return
        self._control.unlink(missing_ok=True)
        with tempfile.TemporaryFile() as said:
            # in the background it keeps what it was given open: a file, not a pipe that somebody waits for
            master = ["-M", "-N", "-f", "-o", "ControlMaster=yes", "-o", f"ControlPath={self._control}"]
            answer = subprocess.run(
                ["ssh", *self._options, *master, "--", self._address.destination],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                timeout=_TIMEOUT_S,
                check=False,
            )
            said.seek(0)
            reason = _last_line(said.read())
        if answer.returncode != 0:
            raise ConnectionLostError(
                f"{self.name}: no connection ({reason or 'ssh gives no reason'}); expected a board that takes your key "
                f"without a password: `ssh -o BatchMode=yes {self._address.destination} true` must work"
            )

    def _alive(self) -> bool:
        control = ["-O", "check", "-o", f"ControlPath={self._control}"]
        answer = subprocess.run(
            ["ssh", *self._options, *control, "--", self._address.destination],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        return answer.returncode == 0

    def close(self) -> None:
        """End the connection; it cannot be used any more."""
        self._ending()


def _end(command: list[str], folder: str) -> None:
    """Leave no connection behind, and no socket."""
    if (Path(folder) / "control").exists():
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _last_line(text: bytes) -> str:
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
