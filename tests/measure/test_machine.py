"""The machine's identity, read from a root of our own."""

from pathlib import Path

import pytest

from nntest.errors import UsageError
from nntest.measure import machine
from nntest.measure.machine import choose_cores, conditions, identify

X86 = """processor : 0
model name : Test(R) CPU @ 2GHz
flags : fpu sse4_2 avx2 fma avx512f unheard_of
cpu MHz : 2000.{}
"""
ARM = """processor : 0
Features : fp asimd asimddp
CPU implementer : 0x41
CPU part : 0xd0c
"""


def make_root(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_identity_of_a_pc(tmp_path: Path) -> None:
    root = make_root(
        tmp_path / "root",
        {
            "etc/machine-id": "abc\n",
            "etc/os-release": 'NAME=Test\nPRETTY_NAME="Test OS 1"\n',
            "proc/cpuinfo": X86.format(0),
            "proc/meminfo": "MemTotal: 32768123 kB\n",
            "sys/class/dmi/id/sys_vendor": "Maker",
            "sys/class/dmi/id/product_name": "Box 3",
        },
    )
    found = identify(tmp_path / "cache", root=root)
    assert (found.model, found.cpu, found.os) == ("Maker Box 3", "Test(R) CPU @ 2GHz", "Test OS 1")
    assert found.isa == ("sse4_2", "avx2", "fma", "avx512f")
    assert found.memory_mb == 33600
    assert found.machine != "abc"
    assert len(found.machine) == 16


def test_the_identity_is_steady(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root", {"proc/cpuinfo": X86.format(0)})
    first = identify(tmp_path / "cache", root=root)
    make_root(root, {"proc/cpuinfo": X86.format(7)})
    assert identify(tmp_path / "cache", root=root) == first
    assert len(list((tmp_path / "cache" / "machine").iterdir())) == 1


def test_a_board_has_a_device_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_py_cpuinfo", dict)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    root = make_root(tmp_path / "root", {"proc/cpuinfo": ARM, "proc/device-tree/model": "Test Board\x00"})
    found = identify(tmp_path / "cache", root=root)
    assert (found.model, found.cpu) == ("Test Board", "aarch64 implementer 0x41 part 0xd0c")
    assert found.isa == ("asimd", "asimddp")


@pytest.mark.parametrize("product", ["", "To be filled by O.E.M.", "Default string"])
def test_the_model_is_never_empty(tmp_path: Path, product: str) -> None:
    files = {"proc/cpuinfo": X86.format(0), "sys/class/dmi/id/product_name": product}
    assert identify(tmp_path / "cache", root=make_root(tmp_path / "root", files)).model == "Test(R) CPU @ 2GHz"


def test_a_machine_without_id_keeps_one_of_ours(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root", {"proc/cpuinfo": X86.format(0)})
    first, again = (identify(tmp_path / "cache", root=root).machine for _ in range(2))
    assert first == again != identify(tmp_path / "other", root=root).machine


def test_conditions_are_read_where_they_can_be(tmp_path: Path) -> None:
    assert conditions(root=tmp_path) == machine.Conditions()
    root = make_root(
        tmp_path,
        {
            "proc/loadavg": "1.25 1.00 0.50 2/95 7105",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
            "sys/class/thermal/thermal_zone0/temp": "41000",
            "sys/class/thermal/thermal_zone1/temp": "56500",
        },
    )
    assert conditions(root=root) == machine.Conditions(load_1min=1.25, governor="performance", temperature_c=56.5)


def test_cores_are_physical_first_and_core_0_last(tmp_path: Path) -> None:
    siblings = {0: "0,4", 1: "1,5", 4: "0,4", 5: "1,5"}
    root = make_root(
        tmp_path,
        {f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list": text for core, text in siblings.items()},
    )
    assert choose_cores(4, available=siblings, root=root) == (5, 4, 1, 0)
    with pytest.raises(UsageError) as error:
        choose_cores(5, available=list(siblings), root=root)
    assert str(error.value) == "threads: 5 was given; this machine offers 4 cores; choose at most 4"
