"""Counting instructions: which plugin an emulator takes, what is said where it takes none, and real counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from nntest.errors import MissingPartError, UsageError
from nntest.measure.driver import DriverCrash, DriverProcess
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session, run_session
from nntest.measure.targets import qemu
from nntest.measure.targets.counting import COUNT_KEY, counted_by, find_counter
from nntest.model.point import Point
from nntest.statistics.trust import assess
from tests.measure.fake_world import FakeWorld
from tests.measure.targets.test_qemu import emulated_world, needs_target
from tests.programs.build import built


def emulator(folder: Path, text: str) -> tuple[str, ...]:
    script = folder / "emulator"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{folder}/asked"\n{text}\n')
    script.chmod(0o755)
    return (str(script),)


def find(folder: Path, text: str):
    return find_counter(
        emulator(folder, text),
        Path("/ld.so"),
        folder,
        emulator="qemu-aarch64 9.0",
        build=lambda api: folder / f"a,b{api}.so",
    )


def test_the_first_interface_that_the_emulator_takes_is_used(tmp_path: Path) -> None:
    counter = find(tmp_path, 'case "$2" in *b1.so) echo too old >&2; exit 1;; esac')
    assert counter.name == "nntest-count 1 (plugin of qemu-aarch64 9.0, interface 2)"
    plugin = f"file={tmp_path}/a,,b2.so"  # a single comma would begin another option
    assert counter.options == ("-plugin", plugin)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[-1] == f"-plugin {plugin} /ld.so --version"


def test_an_emulator_without_plugins_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError) as failed:
        find(tmp_path, 'echo "qemu: unknown option plugin" >&2; exit 1')
    assert str(failed.value) == (
        "instructions: qemu-aarch64 9.0 takes no plugin of ours: qemu: unknown option plugin; leave the option out, or "
        "remove the system's qemu and install the target again: it then fetches one that does"
    )
    assert len((tmp_path / "asked").read_text().splitlines()) == 2


def test_a_program_runs_under_the_plugin_and_knows_it(tmp_path: Path) -> None:
    counter = find(tmp_path, "exit 0")
    plain = replace(built("conv-plain-cpu"), runner=("qemu",), env={"A": "1"})
    counted = counted_by(lambda: counter)(plain)
    assert counted.runner == ("qemu", *counter.options)
    assert counted.env == {"A": "1", COUNT_KEY: "yes"}
    assert counted.counter == counter.name


def test_a_target_where_nothing_counts_is_refused(fake: FakeWorld) -> None:
    with pytest.raises(UsageError) as failed:
        plan_session(RunRequest(instructions=True), fake.world())
    assert str(failed.value) == (
        "instructions: nothing counts them on the target native; expected an emulator; "
        "add --target=linux-arm64-qemu, or leave the option out"
    )


def test_a_driver_that_nobody_answers_says_so() -> None:
    program = built("conv-plain-cpu")
    with pytest.raises(DriverCrash, match=r"instructions: nobody counts them; expected an emulator with the plugin"):
        DriverProcess.start(
            replace(program, env={**program.env, COUNT_KEY: "yes"}),
            cores=(),
            threads=1,
            env={},
            heap_offset=0,
            timeout_s=60,
        )


def measure(tmp_path: Path, **wishes: object) -> Point:
    request = RunRequest(
        **{
            "programs": "softmax-plain-cpu",
            "dataset_uoa": "tensor-softmax-synthetic",
            "dataset_files": ("shape-21-5-7",),
            "repetitions": 4,
            "launches": 2,
            "loops": 3,
            "target": qemu.NAME,
            "instructions": True,
            **wishes,
        }
    )
    world = emulated_world(tmp_path)
    (point,) = run_session(plan_session(request, world), world=world).results
    return point


@needs_target
def test_two_sessions_count_the_same_in_every_block(tmp_path: Path) -> None:
    first, again = (measure(tmp_path / name) for name in ("one", "two"))
    counts = [sample.watch.instructions for sample in (*first.samples, *again.samples)]
    assert len(counts) == 8
    assert len(set(counts)) == 1
    # 735 elements: each is read, exponentiated, summed and divided
    assert 3 * 735 * 10 < counts[0] < 3 * 735 * 1000
    assert first.extra["counter"].startswith("nntest-count 1 (plugin of qemu-aarch64 ")
    assert first.case.id == replace(first.case, env={}).id
    assert first.verification.verified
    assert assess(first)[0] == "emulated"


@needs_target
def test_twice_the_calls_are_twice_the_instructions_but_for_what_is_around_them(tmp_path: Path) -> None:
    few, many = (measure(tmp_path / str(loops), loops=loops, repetitions=1, launches=1) for loops in (10, 20))
    [ten], [twenty] = ([sample.watch.instructions for sample in point.samples] for point in (few, many))
    assert abs(twenty - 2 * ten) < 100


@needs_target
def test_cold_calls_are_counted_without_what_evicts_the_caches(tmp_path: Path) -> None:
    warm = measure(tmp_path / "warm", repetitions=1, launches=1)
    cold = measure(tmp_path / "cold", repetitions=1, launches=1, cache=("cold_all",))
    [[warm_count], [cold_count]] = ([sample.watch.instructions for sample in point.samples] for point in (warm, cold))
    assert abs(cold_count - warm_count) < 300


@needs_target
def test_without_the_option_nothing_is_counted(tmp_path: Path) -> None:
    point = measure(tmp_path, instructions=False, repetitions=1, launches=1)
    assert point.samples[0].watch.instructions is None
    assert "counter" not in point.extra
