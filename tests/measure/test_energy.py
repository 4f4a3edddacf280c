"""Energies on a made-up tree of counters: what is read, what is subtracted, and why there are none."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from nntest.measure.energy import ELSEWHERE, IDLE_S, TIER, Counters, EnergyMeter, open_counters
from nntest.measure.plan import plan_session
from nntest.measure.request import RunRequest
from nntest.measure.session import run_session
from tests.measure.fake_world import FakeClock, FakeWorld

NONE = "the processor's energy counters are not shown here"


def zone(root: Path, name: str, domain: str, *, energy: int = 1_000_000, range_uj: int = 262_143_328_850) -> Path:
    folder = root / "sys/class/powercap" / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{domain}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    (folder / "energy_uj").write_text(f"{energy}\n")
    return folder / "energy_uj"


def test_packages_memory_and_cores_are_read_and_summed_by_domain(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0")
    zone(tmp_path, "intel-rapl:0:0", "core")
    zone(tmp_path, "intel-rapl:0:1", "dram")
    zone(tmp_path, "intel-rapl:1", "package-1")
    zone(tmp_path, "intel-rapl:2", "psys")
    zone(tmp_path, "intel-rapl-mmio:0", "package-0")
    (tmp_path / "sys/class/powercap/intel-rapl").mkdir()
    counters = open_counters(tmp_path)
    assert not counters.reason
    assert sorted(counter.domain for counter in counters.counters) == ["core", "dram", "package", "package"]
    before = counters.read()
    for counter in counters.counters:
        counter.path.write_text("3500000\n")
    assert counters.joules(before, counters.read()) == {"package": 5.0, "core": 2.5, "dram": 2.5}


def test_a_counter_that_wraps_around_goes_on_from_its_range(tmp_path):
    energy = zone(tmp_path, "intel-rapl:0", "package-0", energy=9_000_000, range_uj=10_000_000)
    counters = open_counters(tmp_path)
    before = counters.read()
    energy.write_text("500000\n")
    assert counters.joules(before, counters.read()) == {"package": pytest.approx(1.5)}


def test_a_domain_that_can_no_longer_be_read_is_unknown_not_zero(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0")
    gone = zone(tmp_path, "intel-rapl:1", "package-1")
    memory = zone(tmp_path, "intel-rapl:0:0", "dram")
    counters = open_counters(tmp_path)
    before = counters.read()
    gone.unlink()
    memory.write_text("2000000\n")
    assert counters.joules(before, counters.read()) == {"dram": 1.0}


def test_without_powercap_the_reason_says_so(tmp_path):
    counters = open_counters(tmp_path)
    assert counters.reason == f"/sys/class/powercap is not there; {NONE} (a virtual machine?)"
    assert counters.read() == ()
    (tmp_path / "sys/class/powercap").mkdir(parents=True)
    assert open_counters(tmp_path).reason == f"/sys/class/powercap has no intel-rapl:*; {NONE} (a container?)"


def test_without_a_package_the_reason_says_so(tmp_path):
    zone(tmp_path, "intel-rapl:0", "psys")
    expected = "/sys/class/powercap/intel-rapl:* has no package's counter; expected a zone named package-0"
    assert open_counters(tmp_path).reason == expected


def test_a_counter_for_root_only_names_the_way_to_allow_it(tmp_path, monkeypatch):
    energy = zone(tmp_path, "intel-rapl:0", "package-0")
    read = Path.read_bytes

    def deny(path: Path) -> bytes:
        if path == energy:
            raise PermissionError(13, os.strerror(13))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", deny)
    assert open_counters(tmp_path).reason == (
        "/sys/class/powercap/intel-rapl:0/energy_uj is not readable (Permission denied); root can allow it: "
        "`sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj`"
    )


def test_one_of_two_packages_is_no_sum(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0")
    zone(tmp_path, "intel-rapl:1", "package-1").unlink()
    expected = "/sys/class/powercap/intel-rapl:1/energy_uj is not readable (No such file or directory)"
    assert open_counters(tmp_path).reason == expected


def test_of_memory_that_is_read_in_part_nothing_is_said(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0")
    zone(tmp_path, "intel-rapl:0:0", "dram")
    zone(tmp_path, "intel-rapl:1", "package-1")
    zone(tmp_path, "intel-rapl:1:0", "dram").unlink()
    assert [counter.domain for counter in open_counters(tmp_path).counters] == ["package", "package"]


def test_a_counter_without_a_number_is_told(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0").write_text("<not counted>\n")
    expected = "/sys/class/powercap/intel-rapl:0/energy_uj holds no number; expected microjoules"
    assert open_counters(tmp_path).reason == expected


def test_the_idle_machine_is_looked_at_only_where_there_are_counters(tmp_path):
    slept: list[float] = []
    absent = EnergyMeter.settled(open_counters(tmp_path), FakeClock(), slept.append)
    assert not slept
    assert absent.mark() is None
    assert absent.above_idle(None, timed_s=1.0, primed_s=0.0) == {}
    assert absent.idle_w is None
    assert absent.facts.tier == ""
    assert absent.facts.reason.startswith("/sys/class/powercap is not there")


def test_a_counter_that_stands_still_is_none(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0")
    clock = FakeClock()
    meter = EnergyMeter.settled(open_counters(tmp_path), clock, clock.pass_time)
    expected = "/sys/class/powercap/intel-rapl:* stood still for 2 s; the system does not fill it"
    assert meter.facts.reason == expected
    assert meter.mark() is None


class Machine:
    """A package that draws 20 W, and 50 W more while a block runs; its counter is a file that wraps around."""

    def __init__(self, root: Path, clock: FakeClock) -> None:
        self.file = zone(root, "intel-rapl:0", "package-0", energy=95 * 10**6, range_uj=10**8)
        self.clock = clock
        self.joules = 95.0

    def pass_time(self, seconds: float, watts: float = 20.0) -> None:
        self.clock.pass_time(seconds)
        self.joules += watts * seconds
        self.file.write_text(f"{round(self.joules * 1e6) % 10**8}\n")


def settled(root: Path) -> tuple[Machine, EnergyMeter]:
    machine = Machine(root, FakeClock())
    return machine, EnergyMeter.settled(open_counters(root), machine.clock, machine.pass_time)


def test_idle_is_subtracted_and_the_priming_has_its_share(tmp_path):
    machine, meter = settled(tmp_path)
    assert meter.idle_w == pytest.approx(20.0)
    assert vars(meter.facts) == {
        "tier": TIER, "domains": ("package",), "resolution_s": 1e-3, "idle_s": IDLE_S, "reason": "",
    }  # fmt: skip
    mark = meter.mark()
    machine.pass_time(0.001)  # the request on its way
    machine.pass_time(0.002, watts=70.0)
    machine.pass_time(0.010, watts=70.0)
    machine.pass_time(0.001)
    assert meter.above_idle(mark, timed_s=0.010, primed_s=0.002) == {"package_j": pytest.approx(0.5, rel=1e-4)}


def test_of_a_window_near_the_resolution_no_energy_is_given(tmp_path):
    machine, meter = settled(tmp_path)
    mark = meter.mark()
    machine.pass_time(0.004, watts=70.0)
    assert meter.above_idle(mark, timed_s=0.0035, primed_s=0.0005) == {}


def points_of(fake: FakeWorld, counters: Counters, sleep, **request):
    world = replace(fake.world(), energy=lambda: counters, sleep=sleep)
    run_session(plan_session(RunRequest(programs="softmax-one", repetitions=4, **request), world), world=world)
    return [point["nntest"] for point in fake.points().values()]


class Drawing:
    """Counters of a fake world: 20 W always, 50 W more while a block is primed or runs."""

    def __init__(self, fake: FakeWorld, root: Path) -> None:
        zone(root, "intel-rapl:0", "package-0")
        real = open_counters(root)
        self.counters, self.reason = real.counters, real.reason
        self.joules = real.joules
        self.fake = fake

    def read(self) -> tuple[int, ...]:
        busy = sum(entry[4] + 1 for entry in self.fake.logged("block")) * 1e-4
        return (round((20.0 * self.fake.clock() + 50.0 * busy) * 1e6),)


def test_a_session_puts_energies_above_idle_into_its_points(fake, tmp_path):
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        fake.clock.pass_time(seconds)

    blocks = points_of(fake, Drawing(fake, tmp_path / "root"), sleep)
    assert slept == [IDLE_S]
    assert len(blocks) == 4
    for block in blocks:
        assert block["energy"] == {"tier": TIER, "domains": ["package"], "resolution_s": 1e-3, "idle_s": IDLE_S}
        assert block["launches"]["idle_w"] == pytest.approx([20.0] * 4)
        above = [50.0 * seconds for seconds in block["samples"]["seconds"]]
        assert block["samples"]["package_j"] == pytest.approx(above, rel=1e-3)


def test_a_cold_case_has_no_energy_for_evictions_draw_too(fake, tmp_path):
    blocks = points_of(fake, Drawing(fake, tmp_path / "root"), fake.clock.pass_time, cache=("cold_all",))
    assert all("package_j" not in block["samples"] for block in blocks)


def test_without_counters_a_point_says_why(fake, tmp_path):
    blocks = points_of(fake, open_counters(tmp_path / "root"), sleep=pytest.fail)
    for block in blocks:
        assert block["energy"] == {"reason": f"/sys/class/powercap is not there; {NONE} (a virtual machine?)"}
        assert block["launches"]["idle_w"] == [None] * 4
        assert "package_j" not in block["samples"]


def test_another_target_has_no_energy_of_this_machine():
    assert ELSEWHERE.reason.startswith("the target is not this machine")
    meter = EnergyMeter.settled(ELSEWHERE, FakeClock(), pytest.fail)
    assert meter.mark() is None
    assert meter.facts.reason == ELSEWHERE.reason
