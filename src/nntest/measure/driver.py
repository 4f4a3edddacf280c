"""The Python end of a driver process: requests go down one pipe, answers come up another.

What libraries print goes through a third, of which the last lines are kept for the reason of a crash. All three are
read by one thread, which is the one that asks.
"""

import os
import select
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import orjson

from nntest.errors import NNTestError
from nntest.measure.ahead import (
    Ahead,
    HandOver,
    SentLine,
    SetUp,
    WarmUpRules,
    block_values,
    output_values,
    request_line,
    sent_lines,
    set_up_values,
    warm_up_values,
)
from nntest.measure.answers import (
    BandwidthAnswer,
    BlockAnswer,
    DriverCrash,
    DriverFailure,
    DriverTimeout,
    OutputAnswer,
    PeakAnswer,
    SetupAnswer,
    UnsupportedCase,
    WarmUpAnswer,
    read_answer,
)
from nntest.measure.build import BuiltProgram
from nntest.measure.profiling import ONEDNN_VERBOSE, PrintedAccount
from nntest.model.case import Case

# 5: requests that another driver may hand over; 4: quiet answers
# 3: warm-up tells its time, a block may take its loops; 2: set-up gives the first output; 1: first
PROTOCOL = 5
PEAK_SLICE_S = 2e-3

# Bytes kept of what a library printed, and how many of its last lines stand in a reason.
_KEPT_BYTES = 8192
_KEPT_LINES = 5
# A case says how its library is to be run; what happens to be set in the user's shell must not.
_FOREIGN_PREFIXES = (
    *("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_", "ONEDNN_", "DNNL_", "MKL_"),
    *("POCL_", "OPENCL_LAYERS", "CK_COMPUTE_", "CK_LWS_"),
)


__all__ = [
    "Ahead",
    "BandwidthAnswer",
    "BlockAnswer",
    "DriverCrash",
    "DriverFailure",
    "DriverProcess",
    "DriverTimeout",
    "HandOver",
    "OutputAnswer",
    "PeakAnswer",
    "SetUp",
    "SetupAnswer",
    "UnsupportedCase",
    "WarmUpAnswer",
    "WarmUpRules",
]


_Driver = TypeVar("_Driver", bound="DriverProcess")


class DriverProcess:
    """One driver process with one operator loaded; killed and reaped on exit, whatever happened.

    Start it from the main thread: it dies with the thread that started it, also when that is killed.
    """

    def __init__(
        self,
        label: str,
        process: "subprocess.Popen[bytes]",
        requests: int,
        answers: int,
        timeout_s: float,
        *,
        wake: int | None = None,
    ) -> None:
        printed = process.stdout or process.stderr
        assert printed is not None
        self.describe: Mapping[str, Any] = {}
        self.hello: Mapping[str, Any] = {}
        self._label = label
        self._process = process
        self._requests = requests
        self._answers = answers
        self._wake = wake
        self._printed = printed
        self._timeout_s = timeout_s
        self._ahead: deque[bytes] = deque()  # requests that were sent and whose turn has not come
        self._promised: list[SentLine] = []  # requests that another driver may have sent
        self._serial = 0
        self._pending = b""
        self._kept = b""
        self._paused = False
        self._closed = False
        self._emulated = False
        self._accounts: PrintedAccount | None = None
        os.set_blocking(self._printed.fileno(), False)
        self._selector = selectors.DefaultSelector()
        if wake is None:
            self._selector.register(answers, selectors.EVENT_READ)
        else:
            os.set_blocking(answers, False)
            self._selector.register(wake, selectors.EVENT_READ)
        self._selector.register(self._printed, selectors.EVENT_READ)

    @classmethod
    def start(
        cls,
        built: BuiltProgram,
        *,
        cores: Sequence[int],
        threads: int,
        env: Mapping[str, str],
        heap_offset: int,
        timeout_s: float,
        memory_bytes: int = 0,
    ) -> "DriverProcess":
        """Start a process and wait until its library is loaded.

        Parameters
        ----------
        cores
            One per thread; nothing is pinned when empty.
        env
            Variables of the case; they win over the library's and over those for threads.
        heap_offset
            Bytes by which the heap is shifted; decides also where in its page each buffer begins.
        timeout_s
            For this start and for each later request.
        memory_bytes
            What the buffers of its cases will take, as far as known: the process takes it while it starts.

        Raises
        ------
        DriverCrash, DriverTimeout, DriverFailure
            It did not come up.
        """
        requests_in, requests_out = os.pipe()
        answers_in, answers_out = os.pipe()
        wake_in, wake_out = os.pipe()
        command = [*built.runner, str(built.driver), "--operator", str(built.operator), "--serve"]
        command += ["--in", str(requests_in), "--out", str(answers_out), "--wake", str(wake_out)]
        command += ["--parent", str(os.getpid())]
        command += start_options(cores, threads, heap_offset, memory_bytes)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(requests_in, answers_out, wake_out),
                env=process_environment(built.env, cores, threads, env, inherited=os.environ),
                start_new_session=True,  # Ctrl-C is for the session, which then ends its drivers
            )
        except OSError as error:
            for descriptor in (requests_out, answers_in, wake_in):
                os.close(descriptor)
            raise DriverFailure(f"{built.subject.program}: the driver did not start: {error}") from error
        finally:
            os.close(requests_in)
            os.close(answers_out)
            os.close(wake_out)
        driver = cls(built.subject.program, process, requests_out, answers_in, timeout_s, wake=wake_in)
        driver._emulated = built.emulated
        if built.profiler == ONEDNN_VERBOSE:
            driver._accounts = PrintedAccount()
        driver.greet()
        return driver

    @classmethod
    def over_pipes(cls: "type[_Driver]", label: str, process: "subprocess.Popen[bytes]", timeout_s: float) -> "_Driver":
        """Return the driver at the other end of a process: requests into its input, answers out of its output.

        What is printed comes out of the process's third pipe.
        """
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = os.dup(process.stdin.fileno()), os.dup(process.stdout.fileno())
        process.stdin.close()
        process.stdout.close()
        process.stdout = None
        return cls(label, process, requests, answers, timeout_s)

    def greet(self) -> None:
        """Wait until the library is loaded.

        Raises
        ------
        DriverCrash, DriverTimeout, DriverFailure
            It did not come up.
        """
        try:
            self.hello = self._answer("start")
            self.describe = self.hello["describe"]
        except BaseException:
            self.close()
            raise
        if self.hello["protocol"] != PROTOCOL:
            self.close()
            raise DriverFailure(f"{self._label}: the driver speaks protocol {self.hello['protocol']}")

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def setup(self, key: int, case: Case, output: Path | None = None, *, unless: str = "") -> SetupAnswer:
        """Make a case ready under ``key`` and run it once into a poisoned buffer; replaces what stood there.

        The output of that run goes to the file ``output``, where one is named, unless its hash is ``unless``.

        Raises
        ------
        UnsupportedCase
            The operator cannot do it.
        """
        return read_answer(SetupAnswer, self._ask("setup", **set_up_values(key, case, output, unless)))

    def warm_up(self, key: int, *, max_s: float, tolerance: float, block_min_s: float) -> WarmUpAnswer:
        """Call until call times have settled or ``max_s`` is over, then calibrate the loops of a block."""
        values = warm_up_values(key, max_s=max_s, tolerance=tolerance, block_min_s=block_min_s)
        return read_answer(WarmUpAnswer, self._ask("warm_up", **values))

    def block(self, key: int, *, loops: int | None) -> BlockAnswer:
        """Prime, then time ``loops`` calls; cold cases are evicted before, and timed at, each single call.

        None stands for the loops that the warm-up has calibrated.
        """
        answer = self._ask("block", **block_values(key, loops))
        if self._emulated:
            answer["core_ghz"] = None  # an emulated chain of additions says nothing about a clock
        if self._accounts is not None:
            self._drain()  # what was printed before the answer is in the pipe
            answer["profile"] = self._accounts.next_block()
        return read_answer(BlockAnswer, answer)

    def output(self, key: int, path: Path, *, unless: str = "") -> OutputAnswer:
        """Run once into a poisoned buffer; write the output (float32, NCHW) unless its hash is ``unless``."""
        return read_answer(OutputAnswer, self._ask("output", **output_values(key, path, unless)))

    def send(self, ahead: Ahead) -> None:
        """Send what will be asked: the process goes from one request to the next without waiting for us.

        Each is answered when it is asked for. Where something else is asked instead, or a request fails, those that
        are left are answered for nobody.
        """
        lines = sent_lines(ahead)
        if self._promised:
            promised = [line.asked for line in self._promised]
            as_promised = promised == [line.asked for line in lines[: len(promised)]]
            self._send_promised()
            if not as_promised:
                self.settle()
            lines = lines[len(promised) :] if as_promised else lines
        self._send(lines)

    def hand_over(self, ahead: Ahead) -> HandOver | None:
        """Return what another driver is to write so that this one begins before we ask; None where that cannot be.

        Whether and when it does so need not be known: `send` sends all of it once more, and the process takes each line
        once.
        """
        if self._wake is None or self._closed or self._paused or self._ahead or self._promised:
            return None
        lines = []
        for line in sent_lines(ahead):
            self._serial += 1
            lines.append(SentLine(line.asked, f"@{self.hello['pid']}.{self._serial} ".encode() + line.sent))
        text = b"".join(line.sent for line in lines)
        if len(text) > select.PIPE_BUF:
            return None  # two writers might mix
        self._promised = lines
        pipe = self._requests
        return HandOver(path=f"/proc/{os.getpid()}/fd/{pipe}", inode=os.fstat(pipe).st_ino, lines=text.decode())

    def settle(self) -> None:
        """Wait for the answers to what was sent and is no longer wanted."""
        self._send_promised()
        while self._ahead:
            request = self._ahead.popleft()
            self._read_line("settle")
            if self._accounts is not None and request.startswith(b"block "):
                self._drain()
                self._accounts.next_block()

    def dump_tensor(self, key: int, role: str, path: Path) -> None:
        """Write an input as the driver made it (float32, NCHW or OIHW)."""
        self._ask("dump", key=key, role=role, path=path)

    def peak(
        self, *, threads: int, seconds: float, dtype: str = "float32", slice_s: float = PEAK_SLICE_S
    ) -> PeakAnswer:
        """Measure the FMA peak of the widest vectors (or tiles) of a datatype for about ``seconds``.

        Slices (seconds) well below the default see the clock that the work before them had, which may be lower than
        the one that multiply-adds alone settle at; their answer has no clock.

        Raises
        ------
        UnsupportedCase
            The processor has no such operation.
        """
        return read_answer(
            PeakAnswer, self._ask("peak", threads=threads, seconds=seconds, dtype=dtype, slice_s=slice_s)
        )

    def bandwidth(self, *, threads: int, size: int, seconds: float) -> BandwidthAnswer:
        """Measure what all threads read, copy and combine, each within ``size`` bytes of its own."""
        answer = self._ask("bandwidth", threads=threads, bytes=size, seconds=seconds)
        return read_answer(BandwidthAnswer, answer)

    def drop(self, key: int) -> None:
        """Free a case; nothing happens when it is not there."""
        self._ask("drop", key=key)

    def pause(self) -> None:
        """Stop the process, with whatever spins in it; returns when it stands."""
        if self._paused or self._closed:
            return
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self._paused = True

    def resume(self) -> None:
        """Let a paused process go on; the next request does it too."""
        if self._paused and not self._closed:
            os.kill(self.pid, signal.SIGCONT)
        self._paused = False

    def close(self) -> None:
        """Kill and reap the process; safe to call again."""
        if self._closed:
            return
        self._closed = True
        # No answer is outstanding and nothing is buffered there: killing is the fastest way, and the only sure one.
        self._process.kill()
        self._process.wait()
        self._drain()
        self._selector.close()
        os.close(self._requests)
        os.close(self._answers)
        if self._wake is not None:
            os.close(self._wake)
        self._printed.close()

    def __enter__(self) -> "DriverProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, verb: str, **values: object) -> dict[str, Any]:
        if self._closed:
            raise DriverFailure(f"{self._label}: {verb}: the process was closed")
        line = request_line(verb, values)
        self._send_promised()
        if self._ahead and self._ahead[0] == line:
            self._ahead.popleft()
        else:
            self.settle()
            try:
                self._write([line])
            except BrokenPipeError:
                raise self._crashed(verb) from None
        try:
            return self._answer(verb)
        except (UnsupportedCase, DriverFailure):
            if not self._closed:
                self.settle()
            raise

    def _send_promised(self) -> None:
        promised, self._promised = self._promised, []
        if promised:
            self._send(promised)

    def _send(self, lines: Sequence[SentLine]) -> None:
        # a process that is dead or closed is told of when it is asked
        with suppress(BrokenPipeError):
            if lines and not self._closed:
                self._write([line.sent for line in lines])
                self._ahead.extend(line.asked for line in lines)

    def _write(self, lines: Sequence[bytes]) -> None:
        self.resume()
        os.write(self._requests, b"".join(lines))

    def _answer(self, verb: str) -> dict[str, Any]:
        line = self._read_line(verb)
        try:
            answer: dict[str, Any] = orjson.loads(line)
        except orjson.JSONDecodeError:
            self.close()
            raise DriverFailure(f"{self._label}: {verb}: the driver's answer is no JSON: {line[:80]!r}") from None
        if answer.get("ok"):
            return answer
        if answer.get("status") == "unsupported":
            raise UnsupportedCase(str(answer["reason"]))
        raise DriverFailure(f"{self._label}: {answer.get('reason', 'no reason given')}")

    def _read_line(self, verb: str) -> bytes:
        deadline = time.monotonic() + self._timeout_s
        while b"\n" not in self._pending:
            if self._wake is not None and self._receive():
                continue  # answered without a word
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            if not ready and time.monotonic() >= deadline:
                # A session that was stopped meanwhile (Ctrl-Z) was not looking: the answer may have come in time.
                ready = self._selector.select(0)
            if not ready and time.monotonic() >= deadline and not (self._wake is not None and self._receive()):
                self.close()
                raise DriverTimeout(
                    f"{self._label}: {verb}: no answer within {self._timeout_s:g} s, killed{self._last_printed()}"
                )
            for key, _ in ready:
                if key.fd == self._wake:
                    ended = not os.read(self._wake, 1 << 10) and not self._receive()
                elif key.fd == self._answers:
                    ended = not self._receive()
                else:
                    ended = False
                    self._drain()
                if ended:
                    raise self._crashed(verb)
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _receive(self) -> bool:
        """Take what was answered; False where nothing was, or nothing will be any more."""
        try:
            part = os.read(self._answers, 1 << 16)
        except BlockingIOError:
            return False
        self._pending += part
        return bool(part)

    def _drain(self) -> None:
        """Keep the end of what was printed; what is thrown away no longer fills the pipe."""
        while True:
            try:
                part = os.read(self._printed.fileno(), 1 << 16)
            except BlockingIOError:
                return
            if not part:
                if self._printed.fileno() in self._selector.get_map():
                    self._selector.unregister(self._printed)
                return
            self._kept = (self._kept + part)[-_KEPT_BYTES:]
            if self._accounts is not None:
                self._accounts.add(part)

    def _crashed(self, verb: str) -> NNTestError:
        # The end of the answers comes a moment before the process can be reaped.
        try:
            code: int | None = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        return DriverCrash(f"{self._label}: {verb}: {how_it_ended(code)}{self._last_printed()}")

    def _last_printed(self) -> str:
        text = self._kept.decode(errors="replace")
        lines = ["".join(c if c.isprintable() else " " for c in line).strip() for line in text.splitlines()]
        last = [line for line in lines if line][-_KEPT_LINES:]
        return f"; last output: {' | '.join(last)}" if last else ""


def start_options(cores: Sequence[int], threads: int, heap_offset: int, memory_bytes: int) -> list[str]:
    """Return the options of a driver's command that are alike wherever it runs."""
    options = ["--heap-offset", str(heap_offset), "--memory", str(memory_bytes)]
    return [*options, "--cores", ",".join(map(str, cores[:threads]))] if cores else options


def how_it_ended(code: int | None) -> str:
    """Say in words what an exit code means; negative ones are signals."""
    if code is None:
        return "the driver closed its answers"
    if code >= 0:
        return f"the driver exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the driver was ended by {name}"


def process_environment(
    library: Mapping[str, str],
    cores: Sequence[int],
    threads: int,
    case: Mapping[str, str],
    *,
    inherited: Mapping[str, str],
) -> dict[str, str]:
    """Return a driver's environment: what is inherited, without what concerns libraries, then what is ours."""
    inherited = {key: value for key, value in inherited.items() if not key.startswith(_FOREIGN_PREFIXES)}
    pools = {"OMP_NUM_THREADS": str(threads), "OMP_DYNAMIC": "false", "OPENBLAS_NUM_THREADS": str(threads)}
    pools["POCL_MAX_PTHREAD_COUNT"] = str(threads)
    if cores:
        pools["OMP_PROC_BIND"] = "close"  # unbound, two threads meet on one core for milliseconds
        pools["OMP_PLACES"] = ",".join(f"{{{core}}}" for core in cores[:threads])
    return {**inherited, **pools, **library, **case}
