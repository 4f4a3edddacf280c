"""Other clocks for the same primitive: google-benchmark around it, and the library's own verbose log.

The program that is timed is the C++ file of ``nntest repro``, with google-benchmark in place of its own clock.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from nntest.errors import BuildError, DriverError, MissingPartError
from nntest.measure.compiler import find_compiler
from nntest.measure.libraries import FoundLibrary
from nntest.measure.repro import cpp_text
from nntest.measure.targets.packages import Packages

PACKAGES = ("libbenchmark-dev", "libbenchmark1debian")

_TIMER = """\
#include <benchmark/benchmark.h>

// Options come from the environment: BENCHMARK_MIN_TIME, BENCHMARK_OUT, ...
template <class Call>
static void time_calls(Call call) {
  benchmark::RegisterBenchmark("call", [=](benchmark::State& state) {
    for (auto _ : state) call();
  })->UseRealTime();
  int argc = 1;
  char name[] = "peer", *argv[] = {name, nullptr};
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
"""
# All buffers begin with a page, as ours do without a heap offset.
_PAGES = """\
static void* pages(const Desc& of) {
  constexpr std::size_t kPage = 4096;
  return std::aligned_alloc(kPage, (of.get_size() + kPage - 1) / kPage * kPage);
}

"""
_FIRST_FUNCTION = "static memory in_layout("
_BUFFER = re.compile(r"memory (\w+)\((.+), engine\);")
_BUFFERS = 3
# What comes first in the log are calls with which google-benchmark finds out how many to time.
_SETTLED_SHARE = 0.3


@dataclass(frozen=True)
class GoogleBenchmark:
    """Where its headers and its library are; empty for the system's own places."""

    prefix: Path | None

    @property
    def options(self) -> list[str]:
        """Return what the compiler needs."""
        if self.prefix is None:
            return ["-lbenchmark", "-pthread"]
        [library] = (self.prefix / "usr" / "lib").glob("*/libbenchmark.so")
        include, folder = self.prefix / "usr" / "include", library.parent
        return [f"-isystem{include}", f"-L{folder}", f"-Wl,-rpath,{folder}", "-lbenchmark", "-pthread"]


def find_google_benchmark(cache: Path) -> GoogleBenchmark:
    """Return the system's google-benchmark, or Debian's, fetched without root into ``cache``.

    Raises
    ------
    MissingPartError
        It is neither here nor can it be fetched; the message says why.
    """
    if Path("/usr/include/benchmark/benchmark.h").is_file():
        return GoogleBenchmark(None)
    unpacked = cache / "google-benchmark" / "unpacked"
    if not unpacked.is_dir():
        asked = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=False)
        if asked.returncode != 0:
            raise MissingPartError("google-benchmark: not found; install Debian's libbenchmark-dev or your system's")
        packages = Packages(cache / "google-benchmark" / "apt", asked.stdout.strip(), PACKAGES)
        packages.refresh()
        packages.fetch()
        packages.unpack(unpacked)
    return GoogleBenchmark(unpacked)


def build_peer(source: str, library: FoundLibrary, google: GoogleBenchmark, cache: Path) -> Path:
    """Compile a file of ``nntest repro`` with google-benchmark's clock, or find it in the cache.

    Raises
    ------
    BuildError
        The compiler refused.
    """
    source = source.replace(cpp_text.TIMER, _TIMER).replace(_FIRST_FUNCTION, _PAGES + _FIRST_FUNCTION)
    source, buffers = _BUFFER.subn(r"memory \1(\2, engine, pages(\2));", source)
    assert buffers == _BUFFERS
    link = [*map(str, library.link_files), *(f"-Wl,-rpath,{file.parent}" for file in library.link_files)]
    include = [f"-isystem{folder}" for folder in library.include_dirs]
    command = [*find_compiler().command, "-std=c++17", "-O2", *include, "peer.cpp", "-o", "peer", *link]
    command += google.options
    name = hashlib.sha256(f"{command} {library.library.build}\n{source}".encode()).hexdigest()[:16]
    folder = cache / "peers" / name
    if not (folder / "peer").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "peer.cpp").write_text(source)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            command[command.index("peer")] = f"{temporary}/peer"
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise BuildError(f"peer: did not compile: {' '.join(done.stderr.splitlines()[:3])}")
            Path(temporary, "peer").rename(folder / "peer")
    return folder / "peer"


def time_by_google_us(peer: Path, core: int, *, blocks: int, block_s: float) -> float:
    """Return the time of one call by google-benchmark, in a fresh process: the median of some blocks."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        wanted = {
            "BENCHMARK_MIN_TIME": str(block_s),
            "BENCHMARK_REPETITIONS": str(blocks),
            "BENCHMARK_OUT": str(out),
            "BENCHMARK_OUT_FORMAT": "json",
        }
        _run(peer, core, wanted)
        rows = [row for row in json.loads(out.read_text())["benchmarks"] if row["run_type"] == "iteration"]
    assert len(rows) == blocks
    assert all(row["time_unit"] == "ns" for row in rows)
    return median(float(row["real_time"]) for row in rows) / 1e3


def time_by_verbose_us(peer: Path, core: int, *, blocks: int, block_s: float) -> float:
    """Return the time of one call by oneDNN's log (ONEDNN_VERBOSE=profile_exec), in a fresh process.

    The log's clock has steps of a microsecond or so: a mean over many calls is finer than any of them. As elsewhere it
    is the median of some blocks.
    """
    wanted = {"BENCHMARK_MIN_TIME": str(block_s), "BENCHMARK_REPETITIONS": str(blocks)}
    text = _run(peer, core, {**wanted, "ONEDNN_VERBOSE": "profile_exec"})
    lines = [line.split(",") for line in text.splitlines() if line.startswith("onednn_verbose,") and ",exec," in line]
    # The last line is the reorder of the output, if there is one; the primitive's is by far the most frequent kind.
    kinds = [",".join(words[:-1]) for words in lines]
    if not kinds:
        raise DriverError("peer: oneDNN's log has no line about an execution; its verbose mode may be built out")
    kind = max(set(kinds), key=kinds.count)
    times_ms = [float(words[-1]) for words, own in zip(lines, kinds, strict=True) if own == kind]
    settled = times_ms[int(_SETTLED_SHARE * len(times_ms)) :]
    size = max(1, len(settled) // blocks)
    return 1e3 * median(fmean(settled[first : first + size]) for first in range(0, len(settled) - size + 1, size))


def _run(peer: Path, core: int, environment: dict[str, str]) -> str:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ONEDNN_", "DNNL_", "BENCHMARK_"))}
    # A file takes a log faster than a pipe whose reader has to be woken.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            ["taskset", "--cpu-list", str(core), str(peer)],
            env={**kept, "OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "true", **environment},
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            lines = done.stderr.decode(errors="replace").splitlines() or [f"exit code {done.returncode}"]
            raise DriverError(f"{peer}: {lines[-1]}")
        output.seek(0)
        return output.read().decode(errors="replace")
