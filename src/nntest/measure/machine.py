"""The machine: its identity for the points, the cores to measure on, and its state around a launch."""

import hashlib
import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nntest.errors import UsageError
from nntest.model.case import Platform

# Public and fixed: hides the id of the machine, while the same machine gives the same hash everywhere.
MACHINE_SALT = b"nntest-machine-1:"

# Vector extensions that decide which kernels a library chooses.
_ISA = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512dq", "avx512vl"),
    *("avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimdhp", "asimddp", "asimdfhm", "i8mm", "bf16", "sve", "sve2", "sme"),
)
# What firmware says where its maker left the field as it was.
_PLACEHOLDERS = ("", "none", "default string", "to be filled by o.e.m.", "system product name", "not specified")


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The machine around one launch; None where it cannot be read."""

    load_1min: float | None = None
    governor: str | None = None
    temperature_c: float | None = None


def identify(cache_root: Path, *, root: Path = Path("/")) -> Platform:
    """Describe this machine; no host or user name is in it.

    Parameters
    ----------
    cache_root
        Keeps what is slow to find out (py-cpuinfo takes about a second).
    root
        Root of the file system with /proc, /sys and /etc; another one in tests.
    """
    cpu, isa = _cpu(cache_root, root)
    return Platform(
        machine=_machine_hash(cache_root, root),
        model=_model(root) or cpu,
        cpu=cpu,
        cores=os.cpu_count() or 1,
        memory_mb=_memory_mb(root),
        os=_os_name(root),
        kernel=f"{platform.system()} {platform.release()}",
        arch=platform.machine(),
        isa=isa,
    )


def identify_files(root: Path, *, cores: int, kernel: str, arch: str, fallback_id: str) -> Platform:
    """Describe another machine by copies of its files below ``root``; no host or user name is in it.

    Parameters
    ----------
    fallback_id
        Stands for the id of a machine that has none.
    """
    name, isa = _read_cpu(_text(root / "proc/cpuinfo"), arch=arch)
    found = _text(root / "etc/machine-id") or _text(root / "var/lib/dbus/machine-id") or fallback_id
    return Platform(
        machine=hashlib.sha256(MACHINE_SALT + found.encode()).hexdigest()[:16],
        model=_model(root) or name,
        cpu=name,
        cores=cores,
        memory_mb=_memory_mb(root),
        os=_os_name(root),
        kernel=kernel,
        arch=arch,
        isa=isa,
    )


def conditions(*, root: Path = Path("/")) -> Conditions:
    """Read the machine's state now."""
    return Conditions(
        load_1min=_load(root),
        governor=_text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or None,
        temperature_c=_temperature(root),
    )


def choose_cores(threads: int, *, available: Sequence[int] | None = None, root: Path = Path("/")) -> tuple[int, ...]:
    """Return the cores to pin ``threads`` threads to: physical cores first, the last ones before the first.

    Core 0 serves most interrupts, so it is taken last; a second thread of a core only when all cores are taken.

    Raises
    ------
    UsageError
        When this process may use fewer cores.
    """
    allowed = sorted(os.sched_getaffinity(0) if available is None else available, reverse=True)
    if threads > len(allowed):
        raise UsageError(
            f"threads: {threads} was given; this machine offers {len(allowed)} cores; choose at most {len(allowed)}"
        )
    seen: set[str] = set()
    firsts: list[int] = []
    seconds: list[int] = []
    for core in allowed:
        siblings = _text(root / f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list") or str(core)
        (seconds if siblings in seen else firsts).append(core)
        seen.add(siblings)
    return tuple((firsts + seconds)[:threads])


def _machine_hash(cache_root: Path, root: Path) -> str:
    found = _text(root / "etc/machine-id") or _text(root / "var/lib/dbus/machine-id")
    return hashlib.sha256(MACHINE_SALT + (found or _kept_id(cache_root)).encode()).hexdigest()[:16]


def _kept_id(cache_root: Path) -> str:
    """Give a machine without an id one of our own, kept with the caches."""
    path = cache_root / "machine-id"
    if not path.exists():
        _write(path, uuid.uuid4().hex.encode())
    return path.read_text()


def _model(root: Path) -> str:
    vendor = _text(root / "sys/class/dmi/id/sys_vendor")
    product = _text(root / "sys/class/dmi/id/product_name")
    if product.lower() not in _PLACEHOLDERS:
        known = vendor.lower() not in _PLACEHOLDERS and not product.lower().startswith(vendor.lower())
        return f"{vendor} {product}" if known else product
    return _text(root / "sys/firmware/devicetree/base/model") or _text(root / "proc/device-tree/model")


def _cpu(cache_root: Path, root: Path) -> tuple[str, tuple[str, ...]]:
    """Name of the processor and its vector extensions, remembered per content of /proc/cpuinfo."""
    content = _text(root / "proc/cpuinfo")
    # clocks change from read to read
    steady = "\n".join(line for line in content.splitlines() if "mhz" not in line.lower())
    path = cache_root / "machine" / f"cpu-{hashlib.sha256(steady.encode()).hexdigest()[:16]}.json"
    try:
        facts = orjson.loads(path.read_bytes())
        return str(facts["name"]), tuple(facts["isa"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    name, isa = _read_cpu(content)
    _write(path, orjson.dumps({"name": name, "isa": isa}))
    return name, isa


def _read_cpu(content: str, arch: str = "") -> tuple[str, tuple[str, ...]]:
    """Read name and vector extensions off /proc/cpuinfo, of another machine where its architecture is named."""
    first: dict[str, str] = {}
    for line in content.splitlines():
        key, _, value = line.partition(":")
        first.setdefault(key.strip().lower(), value.strip())
    found: Mapping[str, Any] = {} if "model name" in first or arch else _py_cpuinfo()
    name = first.get("model name") or str(found.get("brand_raw", ""))
    if not name and "cpu part" in first:
        name = f"{arch or platform.machine()} implementer {first.get('cpu implementer', '?')} part {first['cpu part']}"
    flags = set((first.get("flags") or first.get("features") or "").split()) or set(found.get("flags", ()))
    return name or arch or platform.processor() or platform.machine(), tuple(one for one in _ISA if one in flags)


def _py_cpuinfo() -> Mapping[str, Any]:
    """Ask py-cpuinfo, which knows the names of processors whose /proc/cpuinfo has none (Arm, Power)."""
    import cpuinfo

    found: Mapping[str, Any] = cpuinfo.get_cpu_info()
    return found


def _memory_mb(root: Path) -> int:
    """Memory in MB to three digits: the kernel's own share, and so the total, differs a little from boot to boot."""
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(float(f"{int(line.split()[1]) * 1024 / 1e6:.3g}"))
    return 0


def _os_name(root: Path) -> str:
    for line in _text(root / "etc/os-release").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip("\"'")
    return platform.system()


def _load(root: Path) -> float | None:
    words = _text(root / "proc/loadavg").split()
    return float(words[0]) if words else None


def _temperature(root: Path) -> float | None:
    """Highest temperature of the thermal zones."""
    readings = [_text(path) for path in (root / "sys/class/thermal").glob("thermal_zone*/temp")]
    degrees = [int(reading) / 1000 for reading in readings if reading.lstrip("-").isdigit()]
    return max(degrees, default=None)


def _text(path: Path) -> str:
    """Content of a small file without its blanks and NULs (device trees end in one), empty when unreadable."""
    try:
        return path.read_text(errors="replace").replace("\x00", "").strip()
    except OSError:
        return ""


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
