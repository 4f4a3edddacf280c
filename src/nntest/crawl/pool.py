"""Reading here, or with several processes where there is enough to read.

The workers are plain subprocesses of this interpreter: ``multiprocessing`` would import the caller's main module
again, and forking a process that runs threads (numpy's, pyarrow's) is unsafe. They need neither numpy nor pandas.
They start as soon as it is clear that there is enough, and read while the caller still lists.
"""

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from nntest.crawl.read import Harvest, Work, read
from nntest.crawl.views import Part, View
from nntest.crawl.worker import PLACE

#: A file costs as much as this many bytes: to open it, and to keep what it says.
FILE_WEIGHT = 12_000
#: Below this weight, starting processes costs more than it saves.
WORTH_PROCESSES = 100_000_000
_SHARE = 8_000_000
_MAX_WORKERS = 8

_CODE = "import sys; sys.path[:] = sys.argv[4:]; from nntest.crawl.worker import serve; serve(*map(int, sys.argv[1:4]))"


class Pool:
    """Reads what it is given; the order of the result is that of the workers, so use the ordinals.

    Parameters
    ----------
    workers
        Number of processes; by default one per processor, or none where there is little to read.
    """

    def __init__(self, views: Sequence[View], part: Part = "", *, workers: int | None = None) -> None:
        self._views = tuple(views)
        self._part: Part = part
        self._worth = WORTH_PROCESSES if workers is None else 0
        self._count = min(len(os.sched_getaffinity(0)), _MAX_WORKERS) if workers is None else workers
        self._work: list[Work] = []
        self._handed = 0
        self._weight = 0
        self._workers: _Workers | None = None
        self._stack = ExitStack()
        self.files = 0

    def __enter__(self) -> "Pool":
        """Return the pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all workers."""
        self._stack.close()

    def add(self, work: Work) -> None:
        """Read files, some time before the harvest."""
        for piece, weight in _cut(work):
            self._work.append(piece)
            self._weight += weight
            self.files += len(piece.names)
            if self._workers is None and self._count > 1 and self._weight >= self._worth:
                self._workers = self._stack.enter_context(_Workers(self._views, self._part, self._count))
            if self._workers is not None and self._weight >= _SHARE:
                self._hand_over()

    def harvest(self) -> list[Harvest]:
        """Return what all files gave."""
        if self._workers is None:
            return [read(self._work, self._views, self._part)] if self._work else []
        self._hand_over()
        answers = self._workers.answers()
        # A worker that could not start, or was killed, took its shares along: read them all here.
        return [read(self._work, self._views, self._part)] if answers is None else answers

    def _hand_over(self) -> None:
        if self._workers is not None and self._handed < len(self._work):
            self._workers.give(self._work[self._handed :])
            self._handed, self._weight = len(self._work), 0


def _cut(work: Work) -> Iterator[tuple[Work, int]]:
    """Cut a folder's files into pieces of no more than a share, with their weights."""
    weight = sum(work.sizes) + FILE_WEIGHT * len(work.sizes)
    if weight <= _SHARE:
        yield work, weight
        return
    start = weight = 0
    for stop, size in enumerate(work.sizes):
        if weight >= _SHARE:
            yield work.between(start, stop), weight
            start, weight = stop, 0
        weight += size + FILE_WEIGHT
    yield work.between(start, None), weight


class _Workers:
    """Processes that draw the places of shares from a common pipe, until it is empty and closed.

    The shares stand in a file that all have open, because a pipe gives each reader only as much as is certain to
    come in one piece.
    """

    def __init__(self, views: Sequence[View], part: Part, count: int) -> None:
        self._end = 0
        self._stack = ExitStack()
        shares: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by the stack
        self._shares = self._stack.enter_context(shares)
        source, self._sink = os.pipe()
        self._stack.callback(self._close_sink)
        self._processes: list[subprocess.Popen[bytes]] = []
        order = pickle.dumps((tuple(views), part), protocol=pickle.HIGHEST_PROTOCOL)
        numbers = map(str, (source, self._shares.fileno(), len(order)))
        # Half the start of an interpreter is the search for what this one has found already.
        command = [sys.executable, "-I", "-S", "-c", _CODE, *numbers, *_search_path()]
        try:
            self._end = self._shares.write(order)
            for _ in range(count):
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    pass_fds=(source, self._shares.fileno()),
                )
                self._stack.callback(_end, process)
                self._processes.append(process)
        except BaseException:
            self._stack.close()
            raise
        finally:
            os.close(source)

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def give(self, work: Sequence[Work]) -> None:
        """Let one of the workers read a share."""
        data = pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
        self._shares.write(data)
        with suppress(BrokenPipeError):
            os.write(self._sink, PLACE.pack(self._end, len(data)))
        self._end += len(data)

    def answers(self) -> list[Harvest] | None:
        """Return what the workers have read, None where one did not live to tell."""
        self._close_sink()
        answers = [_receive(process) for process in self._processes]
        return None if None in answers else [answer for answer in answers if answer is not None]

    def _close_sink(self) -> None:
        sink, self._sink = self._sink, -1
        if sink >= 0:
            os.close(sink)


def _search_path() -> list[str]:
    here = str(Path(__file__).resolve().parents[2])
    return [here, *(path for path in sys.path if path and path != here)]


def _receive(process: "subprocess.Popen[bytes]") -> Harvest | None:
    answer = process.stdout.read() if process.stdout is not None else b""
    if process.wait() != 0 or not answer:
        return None
    harvest: Harvest = pickle.loads(answer)
    return harvest


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        with suppress(OSError):
            process.stdout.close()
