"""What the machine can do: levels, roofs, and what a peak misses."""

from pathlib import Path

import pytest

from nntest.measure.answers import BandwidthAnswer, PeakAnswer, UnsupportedCase
from nntest.measure.peak import CacheLevel, Measured, cache_levels, deviation, measure_machine
from nntest.model.case import Platform
from tests.programs.build import start

PLATFORM = Platform(machine="m", model="", cpu="A CPU", cores=2, memory_mb=4000, os="", kernel="", arch="x86_64")
LEVELS = [CacheLevel(name="L1", size=32768, sharers=1), CacheLevel(name="L2", size=1 << 20, sharers=2)]


def answer(gflops: float, *, lanes: int = 32, ghz: float | None = 3.0, threads: int = 1) -> PeakAnswer:
    return PeakAnswer(gflops=gflops, gflops_median=gflops, isa="x", threads=threads, core_ghz=ghz, lanes=lanes)


class FakeDriver:
    """Peaks from a list, bandwidths that grow with nothing."""

    def __init__(self, peaks: list[float]) -> None:
        self.peaks = peaks
        self.ghz: float | None = 3.0
        self.sizes: list[int] = []

    def peak(self, *, threads: int, seconds: float, dtype: str = "float32") -> PeakAnswer:
        if dtype != "float32":
            raise UnsupportedCase(f"no {dtype}")
        return answer(self.peaks.pop(0), threads=threads, ghz=self.ghz)

    def bandwidth(self, *, threads: int, size: int, seconds: float) -> BandwidthAnswer:
        self.sizes.append(size)
        return BandwidthAnswer(read_gb_s=5.0, copy_gb_s=7.0, triad_gb_s=6.0, isa="x")


def test_a_peak_is_held_against_width_and_clock() -> None:
    assert deviation(answer(192.0)) == pytest.approx(0.0)
    assert deviation(answer(190.0)) == pytest.approx(-2 / 192)
    assert deviation(answer(2 * 192.0, threads=2)) == pytest.approx(0.0)
    # a tile's product begins every 16 clocks
    assert deviation(answer(3.0 * 32768 / 16, lanes=32768)) == pytest.approx(0.0)
    assert deviation(answer(190.0, ghz=None)) is None


def test_roofs_are_the_most_that_was_seen() -> None:
    driver, said = FakeDriver([100.0, 191.0]), list[Measured]()
    rows = measure_machine(driver, platform=PLATFORM, threads=1, levels=LEVELS, seconds=0.1, date="2026-01-02",
                           report=said.append)  # fmt: skip
    assert [(row.datatype, row.peak_tops) for row in rows if row.datatype] == [("FP32", 0.191)]
    assert [(row.level, row.bandwidth_gb_s, row.capacity_mb) for row in rows if row.level] == [
        ("L1", 7.0, pytest.approx(0.032768)),
        ("L2", 7.0, pytest.approx(1.048576)),
        ("memory", 7.0, 4000.0),
    ]
    assert {(row.platform, row.machine, row.threads, row.date) for row in rows} == {
        ("A CPU", PLATFORM.id, 1, "2026-01-02")
    }
    assert [item.value for item in said if item.what == "float16"] == ["none"]


def test_a_speed_beside_the_clock_of_another_moment_gives_way() -> None:
    driver, said = FakeDriver([200.0, 189.0, 150.0, 140.0, 130.0, 120.0]), list[Measured]()
    rows = measure_machine(driver, platform=PLATFORM, threads=1, levels=[], seconds=0.1, date="", report=said.append)
    assert [row.peak_tops for row in rows if row.datatype] == [0.189]
    assert said[1].remark == "x at 3.00 GHz, -1.6% of width x clock"


def test_a_peak_without_a_clock_says_so() -> None:
    driver, said = FakeDriver([200.0] * 6), list[Measured]()
    driver.ghz = None
    measure_machine(driver, platform=PLATFORM, threads=1, levels=[], seconds=0.1, date="", report=said.append)
    assert said[1].remark == "x, at a clock that is unknown or did not stand still"


def test_threads_share_a_shared_cache_and_the_memory() -> None:
    driver = FakeDriver([384.0])
    rows = measure_machine(driver, platform=PLATFORM, threads=2, levels=LEVELS, seconds=0.1, date="")
    assert driver.sizes == [16384, 262144, 4 * (1 << 20) // 2]
    assert [row.capacity_mb for row in rows if row.level][:2] == pytest.approx([0.065536, 1.048576])


def test_levels_are_read_where_the_system_tells_them(tmp_path: Path) -> None:
    cache = tmp_path / "sys/devices/system/cpu/cpu0/cache"
    for number, (level, kind, size, cores) in enumerate(
        [("1", "Data", "48K", "0"), ("1", "Instruction", "64K", "0"), ("3", "Unified", "4096K", "0-1,4")]
    ):
        folder = cache / f"index{number}"
        folder.mkdir(parents=True)
        for name, text in (("level", level), ("type", kind), ("size", size), ("shared_cpu_list", cores)):
            (folder / name).write_text(f"{text}\n")
    assert cache_levels(tmp_path) == [
        CacheLevel(name="L1", size=49152, sharers=1),
        CacheLevel(name="L3", size=4 << 20, sharers=3),
    ]
    assert cache_levels(tmp_path / "nowhere") == []


@pytest.mark.native
def test_the_driver_measures_types_and_levels() -> None:
    with start("softmax-plain-cpu") as driver:
        single = driver.peak(threads=1, seconds=0.02, dtype="float32")
        assert single.gflops > 1
        assert single.lanes > 0
        with pytest.raises(UnsupportedCase, match="this processor has no fused multiply-add of float7"):
            driver.peak(threads=1, seconds=0.02, dtype="float7")
        near = driver.bandwidth(threads=1, size=16384, seconds=0.02)
        far = driver.bandwidth(threads=1, size=64 << 20, seconds=0.02)
        assert min(near.read_gb_s, far.read_gb_s, far.copy_gb_s, far.triad_gb_s) > 0.1
        assert near.read_gb_s > far.read_gb_s
