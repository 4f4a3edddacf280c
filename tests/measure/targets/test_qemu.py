"""The emulated target: its description, its libraries, and a whole session where it is installed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nntest.errors import MissingPartError
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from nntest.measure.targets import qemu
from nntest.measure.world import World, cache_root, real_world
from nntest.model.case import Platform
from nntest.model.species import SPECIES
from nntest.statistics.trust import assess
from nntest.store.repository import Repository

HOST = Platform(machine="m", model="Board", cpu="CPU", cores=2, memory_mb=8, os="Here", kernel="Linux 6", arch="x86_64")
MANIFEST = {"format": qemu.FORMAT, "emulator": "qemu-aarch64 7.2.22", "os": "Debian 12, arm64", "isa": ["asimd"]}
OPENCL = {"device": "pthread", "driver": "PoCL 3.1", "layer": "nntest-alter 1 (...)", "env": {"OPENCL_LAYERS": "x.so"}}
MANIFEST |= {"opencl": OPENCL}
INSTALLED = qemu.read_manifest(qemu.rooms(cache_root())) is not None
REPOSITORY = Path(__file__).parents[3]

needs_target = pytest.mark.skipif(not INSTALLED, reason=f"not installed; `{qemu.INSTALL}`")


def test_the_platform_says_what_it_is() -> None:
    platform = qemu.emulated(HOST, MANIFEST)
    assert (platform.target, platform.emulator, platform.arch) == ("linux-arm64-qemu", "qemu-aarch64 7.2.22", "aarch64")
    assert (platform.cpu, platform.isa, platform.machine) == ("QEMU max (aarch64) on CPU", ("asimd",), "m")
    assert (platform.gpu, platform.driver) == ("pthread", "PoCL 3.1")


def test_a_library_of_this_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError) as failed:
        qemu.find_library("onednn-cpu", "", tmp_path, {})
    assert str(failed.value) == (
        "onednn-cpu: the target linux-arm64-qemu has plain-cpu, arm-compute-library-neon and "
        "arm-compute-library-opencl; leave the program out"
    )


def test_an_installation_of_another_format_does_not_count(tmp_path: Path) -> None:
    place = qemu.rooms(tmp_path)
    place.compiler.parent.mkdir(parents=True)
    place.compiler.touch()
    place.emulator.touch()
    place.manifest.write_text('{"format": 0}')
    assert qemu.read_manifest(place) is None
    place.manifest.write_text(f'{{"format": {qemu.FORMAT}}}')
    assert qemu.read_manifest(place) == {"format": qemu.FORMAT}


def test_opencl_runs_through_a_layer_that_its_description_names(tmp_path: Path) -> None:
    (tmp_path / "usr/include/aarch64-linux-gnu/arm_compute").mkdir(parents=True)
    binaries = tmp_path / "usr/lib/aarch64-linux-gnu"
    binaries.mkdir(parents=True)
    (binaries / "libarm_compute.so").write_bytes(b"arm_compute_version=v20.08 Build options: ...")
    neon = qemu.find_library("arm-compute-library-neon", "", tmp_path, OPENCL)
    assert (neon.library.tag, neon.library.description) == (
        "arm-compute-library-neon-20.08",
        "Arm Compute Library 20.08, Neon",
    )
    assert not neon.env
    opencl = qemu.find_library("arm-compute-library-opencl", "20.*", tmp_path, OPENCL)
    assert (opencl.library.tag, opencl.library.description) == (
        "arm-compute-library-opencl-20.08",
        "Arm Compute Library 20.08, OpenCL; altered by nntest-alter 1 (...)",
    )
    assert opencl.env == {"OPENCL_LAYERS": "x.so"}
    with pytest.raises(MissingPartError) as failed:
        qemu.find_library("arm-compute-library-opencl", "23.*", tmp_path, OPENCL)
    assert str(failed.value) == (
        "arm-compute-library-opencl: 23.* was not found (there is arm-compute-library-opencl-20.08); choose that one"
    )


def emulated_world(tmp_path: Path) -> World:
    return replace(
        real_world(qemu.NAME),
        cache_root=tmp_path / "cache",
        lock_path=tmp_path / "lock",
        repository=lambda name: Repository(name, tmp_path / name),
        repositories=[Repository("nntest", REPOSITORY)],
    )


@needs_target
def test_an_emulated_point_is_checked_and_says_that_it_is_emulated(tmp_path: Path) -> None:
    world = emulated_world(tmp_path)
    request = RunRequest(
        programs="conv-plain-cpu",
        dataset_uoa="tensor-conv-synthetic",
        dataset_files=("shape-1-1-1-1-1-1-0",),
        repetitions=1,
        target=qemu.NAME,
    )
    summary = run_session(plan_session(request, world), world=world)
    (point,) = summary.results
    assert point.verification.verified
    assert point.platform.emulator == "qemu-aarch64 7.2.22"
    assert assess(point)[0] == "emulated"
    assert point.samples[0].watch.core_ghz is None


@needs_target
def test_an_opencl_point_names_its_device_and_what_was_altered_under_one_tag(tmp_path: Path) -> None:
    world = emulated_world(tmp_path)
    request = RunRequest(
        programs="softmax-armcl-opencl",
        dataset_uoa="tensor-softmax-synthetic",
        dataset_files=("shape-17-1-1",),
        repetitions=1,
        target=qemu.NAME,
    )
    (point,) = run_session(plan_session(request, world), world=world).results
    assert point.verification.verified
    assert assess(point)[0] == "emulated"
    assert point.platform.gpu == "pthread"
    assert "altered by nntest-alter 1 (reports OpenCL 2.0; " in point.subject.library.description
    assert point.launches[0].setup_s > 0
    (meta,) = (tmp_path / "local" / "experiment").glob("*/.cm/meta.json")
    tags = json.loads(meta.read_text())["tags"]
    assert [tag for tag in tags if tag.startswith("arm-compute-library-")] == ["arm-compute-library-opencl-20.08"]
    assert [tag for tag in tags if tag in SPECIES] == ["softmax"]
