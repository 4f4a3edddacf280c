"""What a session does, seen in the order of its requests, its journal and its points."""

import dataclasses
import itertools
import os
import signal
from typing import Any

import pytest

from nntest.errors import BusyMachineError, ConnectionLostError
from nntest.measure.journal import read_records
from nntest.measure.lock import machine_lock
from nntest.measure.reference import Reference
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, plan_session, run_session
from nntest.model.case import Case
from nntest.model.point import Verification
from tests.measure.fake_world import (
    CRASH,
    FAILURE,
    TIMEOUT,
    UNSUPPORTED,
    FakeDriver,
    FakeWorld,
    LoggingReporter,
    OtherOutput,
    always,
    on,
)

SHAPES = ("4-1-1", "8-1-1", "16-1-1")


def request(**options: Any) -> RunRequest:
    return RunRequest(**{"programs": "softmax-*", "dataset_uoa": "tensor-softmax-net", "timestamp": "t", **options})


def run(fake: FakeWorld, reporter: LoggingReporter | None = None, **options: Any) -> Summary:
    world = fake.world()
    return run_session(plan_session(request(**options), world), reporter, world)


def test_every_case_of_a_group_is_visited_once_in_each_round(fake: FakeWorld) -> None:
    run(fake, repetitions=7, launches=3)
    blocks = [(program, shape) for _, program, shape, _, _ in fake.logged("block")]
    everything = {(program, shape) for program in ("softmax-one", "softmax-two") for shape in SHAPES}
    rounds = [blocks[start : start + 6] for start in range(0, len(blocks), 6)]
    assert len(rounds) == 7
    assert all(set(one) == everything for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1


def test_the_order_follows_from_the_recorded_seed(fake: FakeWorld) -> None:
    run(fake, timestamp="a", order_seed=3)
    run(fake, timestamp="b", order_seed=3)
    run(fake, timestamp="c", order_seed=4)
    order = [entry[1:3] for entry in fake.logged("block")]
    first, second, third = (order[start : start + 60] for start in (0, 60, 120))
    assert first == second
    assert first != third


def test_each_launch_is_a_fresh_process_of_each_program_at_another_offset(fake: FakeWorld) -> None:
    run(fake, repetitions=10)
    starts = fake.logged("start")
    assert sorted(entry[1] for entry in starts) == ["softmax-one"] * 5 + ["softmax-two"] * 5
    assert len({entry[5] for entry in starts}) > 5
    launches = {point["nntest"]["samples"]["launch"][-1] for point in fake.points().values()}
    assert launches == {4}
    assert len(fake.logged("close")) == 10


def test_samples_are_nested_and_complete(fake: FakeWorld) -> None:
    summary = run(fake, repetitions=7, launches=3)
    for point in summary.results:
        assert [(sample.launch, sample.round) for sample in point.samples] == [
            (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1),
        ]  # fmt: skip
        assert [launch.launch for launch in point.launches] == [0, 1, 2]
        assert point.trust == "stable"
        assert point.flags == ()


def test_outputs_are_checked_before_the_first_block_and_after_the_last(fake: FakeWorld) -> None:
    run(fake, programs="softmax-one", dataset_files=("shape-4-1-1",), repetitions=3, launches=1)
    verbs = [entry[0] for entry in fake.log if entry[0] in ("setup", "output", "warm_up", "block")]
    assert verbs == ["setup", "warm_up", "block", "block", "block", "output"]


def test_a_reference_at_hand_changes_no_order(fake: FakeWorld) -> None:
    run(fake, timestamp="a", repetitions=3, launches=2, order_seed=1)
    before = [entry[:3] for entry in fake.log]
    fake.log.clear()
    fake.at_hand = True
    summary = run(fake, timestamp="b", repetitions=3, launches=2, order_seed=1)
    assert [entry[:3] for entry in fake.log if entry[0] not in ("start", "close")] == [
        entry for entry in before if entry[0] not in ("start", "close")
    ]
    assert {point.verification.verified for point in summary.results} == {True}


@pytest.mark.parametrize("at_hand", [False, True])
def test_a_wrong_first_output_is_never_timed(fake: FakeWorld, at_hand: bool) -> None:
    fake.at_hand = at_hand
    fake.faults["softmax-one", "8-1-1"] = always("setup", OtherOutput(5.0))
    [point] = [point for point in run(fake, programs="softmax-one").results if point.failure]
    assert point.failure is not None
    assert (point.failure.kind, point.samples) == ("wrong", ())
    assert not [entry for entry in fake.logged("block") if entry[2] == "8-1-1"]


def test_loops_are_calibrated_once_and_frozen(fake: FakeWorld) -> None:
    fake.call_s = lambda case: 5e-5 if fake.logged("block") else 1e-4
    run(fake, programs="softmax-one", dataset_files=("shape-4-1-1",), repetitions=4, launches=4)
    assert {entry[4] for entry in fake.logged("block")} == {100}


def test_loops_option_overrides_calibration(fake: FakeWorld) -> None:
    run(fake, loops=3)
    assert {entry[4] for entry in fake.logged("block")} == {3}


def test_points_of_equal_values_are_measured_once(fake: FakeWorld) -> None:
    reporter = LoggingReporter()
    world = fake.world()
    plan = plan_session(request(dataset_uoa="tensor-softmax-*"), world)
    assert plan.notes == ("tensor-softmax-other:shape-8-1-1: equals tensor-softmax-net:shape-8-1-1, measured once",)
    assert run_session(plan, reporter, world).points == 8


def test_a_second_session_is_refused(fake: FakeWorld) -> None:
    world = fake.world()
    with machine_lock(world.lock_path, now=world.now()), pytest.raises(BusyMachineError):
        run(fake)
    assert fake.log == []


def test_a_shared_machine_is_flagged(fake: FakeWorld) -> None:
    world = fake.world()
    with machine_lock(world.lock_path, now=world.now()):
        summary = run(fake, share=True)
    assert {point.flags for point in summary.results} == {("shared_machine",)}
    assert {point.trust for point in summary.results} == {"stable"}


def test_programs_with_several_threads_are_stopped_while_others_measure(fake: FakeWorld) -> None:
    run(fake, threads=(2,), repetitions=2, launches=1)
    running: set[int] = set()
    for entry in fake.log:
        if entry[0] in ("start", "resume"):
            running.add(entry[2])
        elif entry[0] in ("pause", "close"):
            running.discard(entry[2])
        elif entry[0] == "block":
            assert running == {entry[3]}


def test_each_driver_is_told_whose_set_up_comes_next(fake: FakeWorld) -> None:
    run(fake, repetitions=4, launches=2)
    blocks = [entry[1] for entry in fake.logged("block")]
    expected = []
    for programs in (blocks[:6], blocks[12:18]):  # the first round of each launch
        for number, (one, coming) in enumerate(itertools.pairwise(programs), start=1):
            if coming != one and coming in programs[:number]:  # which has been started
                expected.append((one, coming))
    assert fake.handed == expected
    assert expected


def test_nothing_is_handed_over_past_idle_threads_that_may_spin(fake: FakeWorld) -> None:
    run(fake, repetitions=2, threads=(2,))
    assert not fake.handed


def test_one_thread_needs_no_stopping(fake: FakeWorld) -> None:
    run(fake)
    assert fake.logged("pause") == []


class TestFailures:
    def test_a_crash_costs_the_guilty_case_only(self, fake: FakeWorld) -> None:
        fake.faults["softmax-one", "8-1-1"] = on("block", CRASH, at=1)
        summary = run(fake, repetitions=6, launches=3)
        assert (summary.points, summary.failed, summary.exit_code) == (6, 1, 3)
        failed = [point for point in summary.results if point.failure]
        assert [(point.failure and point.failure.kind, point.trust) for point in failed] == [("crash", "failed")]
        assert failed[0].failure and failed[0].failure.reason == "block: the driver was ended by SIGSEGV"
        others = [point for point in summary.results if not point.failure]
        assert {len(point.samples) for point in others} == {6}
        assert len(fake.logged("start")) == 7

    def test_cases_that_were_set_up_again_say_so(self, fake: FakeWorld) -> None:
        fake.faults["softmax-one", "8-1-1"] = on("block", CRASH, at=1)
        flags = {(p.case.program, p.flags) for p in run(fake, repetitions=6, launches=3).results if not p.failure}
        assert flags <= {("softmax-one", ("restarted",)), ("softmax-one", ()), ("softmax-two", ())}
        assert ("softmax-one", ("restarted",)) in flags

    @pytest.mark.parametrize(("error", "kind"), [(TIMEOUT, "timeout"), (FAILURE, "error"), (CRASH, "crash")])
    def test_each_kind_has_its_word(self, fake: FakeWorld, error: Exception, kind: str) -> None:
        fake.faults["softmax-two", "4-1-1"] = always("setup", error)
        failures = [point.failure for point in run(fake).results if point.failure]
        assert [(failure.kind, failure.reason) for failure in failures] == [(kind, str(error))]

    def test_a_wrong_output_has_no_time(self, fake: FakeWorld) -> None:
        fake.faults["softmax-one", "8-1-1"] = always("setup", OtherOutput(5.0))
        summary = run(fake)
        [point] = [point for point in summary.results if point.failure]
        assert point.failure is not None
        assert (point.failure.kind, point.failure.reason) == ("wrong", "output[0] is 5.0; expected 0.0")
        assert (point.trust, point.samples) == ("wrong", ())
        assert summary.exit_code == 3

    def test_an_output_that_changes_during_timing_is_wrong(self, fake: FakeWorld) -> None:
        fake.faults["softmax-one", "8-1-1"] = on("output", OtherOutput(5.0))
        [point] = [point for point in run(fake, repetitions=2, launches=1).results if point.failure]
        assert point.failure is not None
        assert point.failure.reason == "the output changed during timing: output[0] is 5.0; expected 0.0"

    def test_unsupported_is_counted_and_makes_no_point(self, fake: FakeWorld) -> None:
        fake.faults["softmax-one", "8-1-1"] = always("setup", UNSUPPORTED)
        reporter = LoggingReporter()
        summary = run(fake, reporter)
        assert (summary.points, summary.failed, summary.unsupported, summary.exit_code) == (5, 0, 1, 0)
        assert summary.refused == {"softmax-one one-cpu-1.0.0 8-1-1": "Winograd needs a 3x3 kernel"}
        assert len(fake.points()) == 5
        assert "case softmax-one one-cpu-1.0.0 8-1-1 unsupported" in reporter.events

    def test_a_build_error_is_a_point_for_each_case(self, fake: FakeWorld) -> None:
        fake.build_faults["softmax-one"] = "softmax-one: did not compile: error: no such thing"
        summary = run(fake)
        kinds = [point.failure.kind for point in summary.results if point.failure]
        assert kinds == ["build"] * 3
        assert (summary.points, summary.exit_code) == (6, 3)

    def test_a_program_that_never_comes_up_is_given_up(self, fake: FakeWorld) -> None:
        fake.faults["softmax-one", "*"] = always("start", CRASH)
        summary = run(fake, dataset_uoa="tensor-softmax-*", batch_sizes=(1, 2))
        assert summary.failed == 8
        reasons = {point.failure.reason for point in summary.results if point.failure}
        assert reasons == {str(CRASH), f"not run: 5 processes of this program died in a row ({CRASH})"}
        assert fake.asked["softmax-one", "*", "start"] == 5

    def test_skipped_validation_is_unverified(self, fake: FakeWorld) -> None:
        fake.faults["softmax-one", "8-1-1"] = always("output", OtherOutput(5.0))
        summary = run(fake, skip_output_validation=True)
        assert {(point.verification.verified, point.trust) for point in summary.results} == {(None, "unverified")}
        assert fake.logged("output") == []


class TestRecord:
    def test_points_go_to_one_experiment_per_program(self, fake: FakeWorld) -> None:
        summary = run(fake)
        names = ["nntest-softmax-one-one-cpu-1.0.0-t", "nntest-softmax-two-two-cpu-1.0.0-t"]
        assert sorted(summary.experiments) == names
        assert sorted({path.split("/")[0] for path in fake.points()}) == names

    def test_record_uoa_names_the_experiment(self, fake: FakeWorld) -> None:
        assert list(run(fake, record_uoa="mine").experiments) == ["mine"]

    def test_no_record_writes_no_points(self, fake: FakeWorld) -> None:
        summary = run(fake, no_record=True)
        assert (summary.points, summary.experiments, fake.points()) == (6, {}, {})

    def test_the_same_timestamp_again_adds_sub_points(self, fake: FakeWorld) -> None:
        run(fake)
        run(fake)
        numbers = [path.split(".")[-2] for path in fake.points()]
        assert sorted(numbers) == ["0001"] * 6 + ["0002"] * 6

    def test_dimensions_make_cases(self, fake: FakeWorld) -> None:
        summary = run(fake, threads=(1, 2), batch_sizes=(1, 4), library=("one-cpu-1.0", "one-cpu-2.0"))
        asked = {(p.case.threads, p.case.batch_size, p.subject.library.tag) for p in summary.results}
        assert len(asked) == 8
        assert summary.points == 24


def test_a_signal_ends_the_session_between_two_steps(fake: FakeWorld) -> None:
    blocks = iter(range(1000))
    fake.before_block = lambda: os.kill(os.getpid(), signal.SIGTERM) if next(blocks) == 9 else None
    before = signal.getsignal(signal.SIGTERM)
    summary = run(fake)
    assert signal.getsignal(signal.SIGTERM) is before
    assert summary.exit_code == 130
    assert (
        summary.advice
        == "interrupted: 0 points are on disk; add --timestamp=t --resume to the same command to do the rest"
    )
    assert len(fake.logged("close")) == len(fake.logged("start"))
    fake.before_block = lambda: None
    resumed = run(fake, resume=True)
    assert (resumed.points, resumed.exit_code) == (6, 0)


def test_a_trial_that_is_given_up_after_its_last_visit_is_published_as_lost(fake: FakeWorld) -> None:
    in_the_last_launch = 2  # each shape has two batch sizes, and is set up for both in each of two launches

    def die(verb: str, count: int) -> None:
        if verb == "setup" and count >= in_the_last_launch:
            raise CRASH

    fake.faults.update({("softmax-one", shape): die for shape in ("8-1-1", "16-1-1", "32-2-2")})
    everywhere = {"programs": "softmax-one", "dataset_uoa": "tensor-softmax-*", "batch_sizes": (1, 2)}
    complete_and_lost = 0
    for seed in range(8):
        fake.asked.clear()
        summary = run(fake, repetitions=2, launches=2, order_seed=seed, timestamp=f"t{seed}", **everywhere)
        on_disk = {path.split("/")[1]: one["nntest"] for path, one in fake.points().items() if f"-t{seed}/" in path}
        for point in summary.results:
            failure = on_disk[f"ckp-{point.uid}.0001.json"].get("failure")
            assert (failure or {}).get("kind") == (point.failure and point.failure.kind)
            complete_and_lost += point.failure is not None and len(point.samples) == point.plan.repetitions
    assert complete_and_lost


def test_until_ci_adds_launches_until_intervals_are_narrow(fake: FakeWorld) -> None:
    noise = iter([1.3, 0.7, 1.2, 0.8, *[1.0] * 1000])

    def varying() -> None:
        factor = next(noise)
        fake.call_s = lambda case: 1e-4 * factor

    fake.before_block = varying
    summary = run(
        fake, programs="softmax-one", dataset_files=("shape-4-1-1",), repetitions=4, loops=1, until_ci_pct=2.0
    )
    [point] = summary.results
    assert 4 < len(point.launches) <= 24
    assert len(point.samples) == len(point.launches)


def test_a_budget_ends_the_patience(fake: FakeWorld) -> None:
    spread = iter([1.0, 2.0] * 1000)

    def varying() -> None:
        factor = next(spread)
        fake.call_s = lambda case: 0.5 * factor

    fake.before_block = varying
    summary = run(
        fake,
        programs="softmax-one",
        dataset_files=("shape-4-1-1",),
        repetitions=4,
        loops=1,
        until_ci_pct=0.1,
        budget_s=60.0,
    )
    [point] = summary.results
    assert 4 < len(point.launches) < 24


@pytest.mark.parametrize("at_hand", [False, True])
def test_too_little_memory_for_a_reference_costs_one_case(fake: FakeWorld, at_hand: bool) -> None:
    fake.at_hand = at_hand
    world = fake.world()

    def expected(case: Case) -> Reference:
        if case.parameters["CK_IN_SHAPE_C"] == 8:
            raise MemoryError("Unable to allocate 4.00 GiB")
        return world.expected(case)

    small = dataclasses.replace(world, expected=expected)
    summary = run_session(plan_session(request(programs="softmax-one"), small), None, small)
    failures = {point.case.parameters["CK_IN_SHAPE_C"]: point.failure for point in summary.results}
    assert (failures[4], failures[16], summary.exit_code) == (None, None, 3)
    assert failures[8] is not None
    assert failures[8].kind == "error"
    assert failures[8].reason == (
        "the output could not be checked: too little memory for the reference (Unable to allocate 4.00 GiB); "
        "free memory, raise the limit (ulimit -v) or use --skip_output_validation"
    )
    programs = [program for _, program, *_ in fake.logged("start")]
    assert len(programs) == summary.results[0].plan.launches, "its process stays for the others"
    for point in summary.results:
        assert "restarted" not in point.extra


def test_too_little_memory_for_a_comparison_costs_one_case(fake: FakeWorld) -> None:
    world = fake.world()

    def verify(case: Case, output: Any, reference: Reference, algorithm: str) -> Verification:
        if case.parameters["CK_IN_SHAPE_C"] == 8:
            raise MemoryError
        return world.verify(case, output, reference, algorithm)

    small = dataclasses.replace(world, verify=verify)
    summary = run_session(plan_session(request(programs="softmax-one"), small), None, small)
    kinds = {point.case.parameters["CK_IN_SHAPE_C"]: point.failure and point.failure.kind for point in summary.results}
    assert kinds == {4: None, 8: "error", 16: None}
    others = [entry for entry in fake.logged("setup") if entry[2] != "8-1-1"]
    assert len(others) == len(set(others)), "set up once in each process"


def lost_in_journal(fake: FakeWorld) -> list[tuple[str, str]]:
    [journal] = (fake.root / "cache" / "journals").glob("*.jsonl")
    return [(line["loss"], line["reason"]) for line in read_records(journal) if line["kind"] == "lost"]


def test_a_wrong_output_stays_the_reason_when_the_program_then_dies(
    fake: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.faults["softmax-one", "8-1-1"] = always("setup", OtherOutput(5.0))

    def settle(driver: FakeDriver) -> None:
        if driver.sent:
            driver.sent.clear()
            raise CRASH

    monkeypatch.setattr(FakeDriver, "settle", settle)
    summary = run(fake, programs="softmax-one", repetitions=2, launches=1)
    assert [point.failure.kind for point in summary.results if point.failure] == ["wrong"]
    assert lost_in_journal(fake) == [("wrong", "output[0] is 5.0; expected 0.0")]


def test_an_output_that_differs_in_a_later_launch_is_compared_after_the_block(fake: FakeWorld) -> None:
    fake.faults["softmax-one", "8-1-1"] = on("setup", OtherOutput(5.0), at=1)
    summary = run(fake, programs="softmax-one", dataset_files=("shape-8-1-1",), repetitions=3, launches=3)
    [point] = summary.results
    assert point.failure is not None
    assert (point.failure.kind, point.failure.reason) == ("wrong", "output[0] is 5.0; expected 0.0")
    assert [sample.launch for sample in point.samples] == [0], "what was timed with a wrong output is no sample"


def test_what_was_lost_is_in_the_journal_also_where_the_board_is_lost_next(fake: FakeWorld) -> None:
    fake.faults["softmax-one", "*"] = on("start", ConnectionLostError("board: the connection was lost"), at=1)
    for shape in ("4-1-1", "8-1-1", "16-1-1"):
        fake.faults["softmax-one", shape] = always("block", TIMEOUT)
    run(fake, programs="softmax-one", repetitions=1, launches=1)
    assert lost_in_journal(fake) == [("timeout", str(TIMEOUT))]


def test_the_account_adds_up(fake: FakeWorld) -> None:
    account = run(fake).account_s
    parts = ("build", "start", "set_up", "prime", "check", "timed", "reference", "harness")
    assert sum(account[part] for part in parts) == pytest.approx(account["session"])
    assert account["timed"] == pytest.approx(60 * 1e-2)
    assert 0 < account["first_sample"] < account["session"]


def test_dump_writes_what_anyone_can_check(fake: FakeWorld) -> None:
    run(fake, programs="softmax-one", dataset_files=("shape-4-1-1",), dump=fake.root / "dump")
    stem = "softmax-one-1.0.0-4-1-1"
    assert sorted(path.name for path in (fake.root / "dump").iterdir()) == [
        f"{stem}-input.npy",
        f"{stem}-output.npy",
        f"{stem}.json",
    ]


def test_plans_are_frozen(fake: FakeWorld) -> None:
    plan = plan_session(request(), fake.world())
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.timestamp = "other"  # type: ignore[misc]
