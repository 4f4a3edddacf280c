"""What ``nntest doctor`` says of parts that are absent."""

from pathlib import Path

import pytest

from nntest.errors import MissingPartError
from nntest.faces import doctor
from nntest.faces.doctor import examine
from nntest.measure import energy, libraries
from nntest.measure.energy import Counter, Counters
from nntest.measure.targets import qemu


def test_an_absent_library_is_a_note_that_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_library(name: str) -> None:
        raise MissingPartError(f"{name}: was not found; install it with `pip install {name}`")

    present = [found for found in libraries.find_libraries() if found.library.name != "openblas-cpu"]
    monkeypatch.setattr(libraries, "find_libraries", lambda: present)
    monkeypatch.setattr(libraries, "find_library", find_library)
    found = {one.found: one.verdict for one in examine() if one.subject == "library"}
    assert found["openblas-cpu: was not found; install it with `pip install openblas-cpu`"] == "note"
    assert found["plain-cpu-1.0.0"] == "ok"


def test_a_damaged_registration_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CK_REPOS", str(tmp_path))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    meta = tmp_path / "local" / "repo" / "mine" / ".cm" / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text("")
    found = [one.verdict for one in doctor._repositories() if one.found.startswith(f"{meta}: ")]
    assert found == ["wrong"]


def test_energy_counters_are_named_or_why_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> tuple[str, str]:
        return next((one.verdict, one.found) for one in examine() if one.subject == "energy")

    monkeypatch.setattr(energy, "open_counters", lambda: Counters(reason="there are none"))
    assert found() == ("note", "NA, there are none")
    counters = Counters(
        (Counter("package", Path("a"), 1), Counter("package", Path("b"), 1), Counter("dram", Path("c"), 1))
    )
    monkeypatch.setattr(energy, "open_counters", lambda: counters)
    words = "package, idle subtracted; counters of package, dram; a session first looks at the idle machine for 2 s"
    assert found() == ("ok", words)


def test_a_target_is_named_or_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def found() -> tuple[str, str, str]:
        return next((one.verdict, one.found, one.advice) for one in examine() if one.subject == "target")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    advice = "64-bit Arm without a board: `nntest target install linux-arm64-qemu`"
    assert found() == ("note", "linux-arm64-qemu is not installed", advice)
    opencl = {"device": "pthread", "driver": "PoCL 3.1"}
    manifest = {"emulator": "qemu-aarch64 7.2", "opencl": opencl}
    monkeypatch.setattr(qemu, "read_manifest", lambda place: manifest)
    assert found() == ("ok", "linux-arm64-qemu: qemu-aarch64 7.2, OpenCL device pthread of PoCL 3.1", "")


@pytest.mark.parametrize(
    ("drivers", "verdict", "found", "advice"),
    [
        (["mali", "pocl"], "ok", "drivers: mali, pocl", ""),
        (
            [],
            "note",
            "no driver was found in /etc/OpenCL/vendors",
            "for programs on OpenCL devices install one, such as `apt install pocl-opencl-icd`",
        ),
    ],
)
def test_opencl_drivers_are_named_or_how_to_install_one(
    drivers: list[str], verdict: str, found: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nntest.measure.libraries.clblast.find_drivers", lambda: drivers)
    [finding] = doctor._opencl()
    assert (finding.verdict, finding.found, finding.advice) == (verdict, found, advice)


def test_a_missing_ssh_is_a_note_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    [finding] = doctor._ssh()
    assert (finding.verdict, finding.found) == ("note", "it was not found")
    assert finding.advice == "for boards over ssh install it with `apt install openssh-client`"
