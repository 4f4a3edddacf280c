"""The Python end of a driver process on a board: the same requests and answers, over ssh."""

import contextlib
import shlex
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nntest.errors import ConnectionLostError, NNTestError
from nntest.measure.answers import BlockAnswer, DriverCrash, OutputAnswer, SetupAnswer
from nntest.measure.build import BuiltProgram
from nntest.measure.driver import Ahead, DriverProcess, how_it_ended, process_environment, start_options
from nntest.measure.profiling import ONEDNN_VERBOSE, PrintedAccount
from nntest.measure.targets.connection import Connection
from nntest.model.case import Case

_LOST = 255  # ssh's own exit code; the driver's is handed on by the board's shell
_SIGNALLED = 128


class RemoteDriver(DriverProcess):
    """A driver process on a board. ``folder`` is the board's folder for what goes to and fro."""

    _connection: Connection
    _folder: str

    @classmethod
    def start_on(
        cls,
        connection: Connection,
        built: BuiltProgram,
        *,
        folder: str,
        cores: Sequence[int],
        threads: int,
        env: Mapping[str, str],
        heap_offset: int,
        timeout_s: float,
        memory_bytes: int = 0,
    ) -> "RemoteDriver":
        """Start a process whose files are on the board; parameters as `DriverProcess.start` has them.

        Raises
        ------
        ConnectionLostError
            The board cannot be reached.
        DriverCrash, DriverTimeout, DriverFailure
            It did not come up.
        """
        variables = process_environment(built.env, cores, threads, env, inherited={})
        words = [str(built.driver), "--operator", str(built.operator), "--serve", "--in", "3", "--out", "4"]
        words += start_options(cores, threads, heap_offset, memory_bytes)
        assignments = [f"{key}={value}" for key, value in variables.items()]
        # the shell stays: a signal that ends the driver is then an exit code, and no loss of the connection
        text = f"{shlex.join(['env', *assignments, *words])} 3<&0 4>&1 0</dev/null 1>&2; exit $?"
        process = subprocess.Popen(
            connection.shell(text),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        driver = cls.over_pipes(built.subject.program, process, timeout_s)
        driver._connection = connection
        driver._folder = folder
        if built.profiler == ONEDNN_VERBOSE:
            driver._accounts = PrintedAccount()
        driver.greet()
        return driver

    def setup(self, key: int, case: Case, output: Path | None = None, *, unless: str = "") -> SetupAnswer:
        """Make a case ready; its output, where one is named, is fetched from the board."""
        if output is None:
            return super().setup(key, case)
        there = self._new_file()
        answer = super().setup(key, case, Path(there), unless=unless)
        if answer.written:
            self._fetch(there, output)
        return answer

    def output(self, key: int, path: Path, *, unless: str = "") -> OutputAnswer:
        """Run once into a poisoned buffer; the output is fetched from the board unless its hash is known."""
        there = self._new_file()
        answer = super().output(key, Path(there), unless=unless)
        if answer.written:
            self._fetch(there, path)
        return answer

    def dump_tensor(self, key: int, role: str, path: Path) -> None:
        """Fetch an input as the driver made it."""
        there = self._new_file()
        super().dump_tensor(key, role, Path(there))
        self._fetch(there, path)

    def block(self, key: int, *, loops: int | None) -> BlockAnswer:
        """Time a block; its start is told on this machine's clock, to within the way of the answer."""
        answer = super().block(key, loops=loops)
        return replace(answer, start_s=time.monotonic() - answer.seconds)

    def send(self, ahead: Ahead) -> None:
        """Do nothing: files lie elsewhere there, and the way to the board is longer than what is spared."""

    def pause(self) -> None:
        """Stop the process on the board."""
        if not self._paused and not self._closed:
            self._signal("STOP")
            self._paused = True

    def resume(self) -> None:
        """Let it go on."""
        if self._paused and not self._closed:
            self._signal("CONT")
        self._paused = False

    def close(self) -> None:
        """End the process here and on the board; a board that is out of reach ends it by itself."""
        if not self._closed and self._process.poll() is None and self.hello:
            with contextlib.suppress(NNTestError):
                self._signal("KILL")
        super().close()

    def _signal(self, name: str) -> None:
        self._connection.run(["kill", f"-{name}", str(int(self.hello["pid"]))])

    def _new_file(self) -> str:
        return f"{self._folder}/out-{uuid.uuid4().hex}"

    def _fetch(self, there: str, here: Path) -> None:
        here.write_bytes(self._connection.run(["cat", there]))
        self._connection.run(["rm", "-f", there])

    def _crashed(self, verb: str) -> NNTestError:
        try:
            code: int | None = self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            code = None
        if code == _LOST:
            printed = self._last_printed()
            self.close()
            return ConnectionLostError(f"{self._connection.name}: the connection was lost{printed}")
        if code is not None and code > _SIGNALLED:
            how = how_it_ended(_SIGNALLED - code)
            self.close()
            return DriverCrash(f"{self._label}: {verb}: {how}{self._last_printed()}")
        return super()._crashed(verb)
