"""Reading with several processes, where there is enough to read.

The workers are plain subprocesses of this interpreter: ``multiprocessing`` would import the caller's main module
again, and forking a process that runs threads (numpy's, pyarrow's) is unsafe. They need neither numpy nor pandas.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from nntest.crawl.read import Harvest, Reader, Work, no_collector, read
from nntest.crawl.views import Part, View

#: Below this many files, starting processes costs more than it saves.
WORTH_PROCESSES = 4_000
_FILES_PER_TOKEN = 500
_MAX_WORKERS = 8
# A pipe takes this much without a reader, so that all tokens can be put in before the workers start.
_MAX_TOKENS = 4_000
_TOKEN = 4

_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from nntest.crawl.pool import serve; serve(int(sys.argv[2]))"


def read_parallel(
    work: Sequence[Work], views: Sequence[View], part: Part = "", *, workers: int | None = None
) -> Harvest:
    """Read files with several processes; the order of the result is that of the workers, so use the ordinals.

    Parameters
    ----------
    workers
        Number of processes; by default one per processor, or none where there is little to read.
    """
    files = sum(len(item.names) for item in work)
    if workers is None:
        workers = min(len(os.sched_getaffinity(0)), _MAX_WORKERS) if files >= WORTH_PROCESSES else 1
    if workers < 2:
        return read(work, views, part)
    per_token = max(_FILES_PER_TOKEN, files // _MAX_TOKENS + 1)
    return _join(_run(_cut(work, per_token), views, part, workers))


def _cut(work: Sequence[Work], size: int) -> list[list[Work]]:
    """Cut the work into shares of about ``size`` files, in order."""
    shares: list[list[Work]] = [[]]
    room = size
    for item in work:
        start = 0
        while start < len(item.names):
            stop = min(len(item.names), start + room)
            shares[-1].append(replace(item, names=item.names[start:stop], ordinals=item.ordinals[start:stop]))
            room -= stop - start
            start = stop
            if room == 0:
                shares.append([])
                room = size
    return [share for share in shares if share]


def _run(shares: list[list[Work]], views: Sequence[View], part: Part, workers: int) -> list[Harvest]:
    """Start workers that draw numbers of shares from a common pipe until it is empty."""
    order = pickle.dumps((shares, tuple(views), part), protocol=pickle.HIGHEST_PROTOCOL)
    source, sink = os.pipe()
    os.write(sink, b"".join(index.to_bytes(_TOKEN, "little") for index in range(len(shares))))
    os.close(sink)
    command = [sys.executable, "-c", _CODE, str(Path(__file__).resolve().parents[2]), str(source)]
    with ExitStack() as stack:
        processes = []
        try:
            for _ in range(workers):
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(source,))
                stack.callback(_end, process)
                processes.append(process)
        finally:
            os.close(source)
        for process in processes:
            _send(process, order)
        answers = [_receive(process) for process in processes]
    if None in answers:
        # A worker that could not start, or was killed, took its shares along: read them all here.
        return [read([item for share in shares for item in share], views, part)]
    return [answer for answer in answers if answer is not None]


def _send(process: "subprocess.Popen[bytes]", order: bytes) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.write(order)
        with suppress(BrokenPipeError):
            process.stdin.close()


def _receive(process: "subprocess.Popen[bytes]") -> Harvest | None:
    answer = process.stdout.read() if process.stdout is not None else b""
    if process.wait() != 0 or not answer:
        return None
    harvest: Harvest = pickle.loads(answer)
    return harvest


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _join(harvests: Sequence[Harvest]) -> Harvest:
    return Harvest(
        [block for harvest in harvests for block in harvest.blocks],
        [skip for harvest in harvests for skip in harvest.skips],
    )


def serve(source: int) -> None:
    """Be a worker: draw shares until there are none left, then answer with the harvest on standard output."""
    shares, views, part = pickle.load(sys.stdin.buffer)
    reader = Reader(views, part)
    with no_collector():
        while token := os.read(source, _TOKEN):
            for item in shares[int.from_bytes(token, "little")]:
                reader.add(item)
    sys.stdout.buffer.write(pickle.dumps(reader.harvest(), protocol=pickle.HIGHEST_PROTOCOL))
    sys.stdout.buffer.flush()
