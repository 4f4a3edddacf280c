"""Making the target: what is refused, the wrappers, and taking it away again. No network is needed."""

import subprocess
from pathlib import Path

import pytest

from nntest.errors import NNTestError, UsageError
from nntest.measure.targets import install, qemu


def test_another_machine_needs_no_such_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.platform, "machine", lambda: "aarch64")
    with pytest.raises(UsageError, match=r"^linux-arm64-qemu: this machine is aarch64; the target is for x86_64; on a"):
        install.install(tmp_path, say=print)


def test_what_is_installed_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.platform, "machine", lambda: "x86_64")
    place = qemu.rooms(tmp_path)
    install.write_wrappers(place, compiler="/usr/bin/c++", emulator="/usr/bin/qemu")
    place.manifest.write_text(f'{{"format": {qemu.FORMAT}}}')
    said: list[str] = []
    install.install(tmp_path, say=said.append)
    assert said == [
        f"linux-arm64-qemu: installed already in {place.root}; `nntest target remove linux-arm64-qemu` removes it"
    ]
    install.remove(tmp_path, say=said.append)
    install.remove(tmp_path, say=said.append)
    assert said[1:] == [
        f"linux-arm64-qemu: removed {place.root}",
        "linux-arm64-qemu: not installed; nothing to remove",
    ]


def test_wrappers_hand_everything_on(tmp_path: Path) -> None:
    place = qemu.rooms(tmp_path / "with a blank")
    shown = tmp_path / "show"
    shown.write_text('#!/bin/sh\nprintf "%s|" "$LD_LIBRARY_PATH" "$@"\n')
    shown.chmod(0o755)
    install.write_wrappers(place, compiler=str(shown), emulator=None)
    (place.tools / "usr" / "bin").mkdir(parents=True)
    (place.tools / "usr" / "bin" / "qemu-aarch64").symlink_to(shown)
    compiled = subprocess.run([place.compiler, "-c", "a b.cpp"], capture_output=True, text=True, env={}, check=True)
    assert compiled.stdout == "|-c|a b.cpp|"
    ran = subprocess.run([place.emulator, "./x"], capture_output=True, text=True, env={}, check=True)
    libraries = place.tools / "usr" / "lib" / "x86_64-linux-gnu"
    assert ran.stdout == f"{libraries}|-cpu|max|-U|LD_LIBRARY_PATH|-L|{place.sysroot}|./x|"


def test_the_opencl_compiler_finds_a_linker_for_arm_by_its_plain_name(tmp_path: Path) -> None:
    place = qemu.rooms(tmp_path / "with a blank")
    install.write_wrappers(place, compiler=None, emulator="/usr/bin/qemu-aarch64")
    linker = place.tools / "usr" / "bin" / "aarch64-linux-gnu-ld"
    linker.parent.mkdir(parents=True)
    linker.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    linker.chmod(0o755)
    assert place.linker.name == "ld"
    linked = subprocess.run([place.linker, "a b.o"], capture_output=True, text=True, env={}, check=True)
    assert linked.stdout == f"--sysroot={place.tools}|a b.o|"


def test_a_failing_self_test_says_what_to_do(tmp_path: Path) -> None:
    place = qemu.rooms(tmp_path)
    install.write_wrappers(place, compiler="/bin/false", emulator="/bin/false")
    with pytest.raises(NNTestError) as failed:
        install.neon_self_test(place)
    assert str(failed.value) == (
        "linux-arm64-qemu: the self-test failed while compiling: exit code 1; "
        "run `nntest target remove linux-arm64-qemu` and install it again"
    )


def test_a_layer_that_does_not_compile_is_named(tmp_path: Path) -> None:
    place = qemu.rooms(tmp_path)
    install.write_wrappers(place, compiler="/bin/false", emulator="/bin/false")
    with pytest.raises(NNTestError) as failed:
        install.opencl_environment(place)
    assert str(failed.value) == (
        "linux-arm64-qemu: the self-test failed while compiling the OpenCL layer: exit code 1; "
        "run `nntest target remove linux-arm64-qemu` and install it again"
    )
