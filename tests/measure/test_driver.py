"""The Python end of the driver: answers, and every way in which a process fails to give one."""

import os
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from nntest.errors import DriverError
from nntest.measure.driver import (
    Ahead,
    DriverCrash,
    DriverFailure,
    DriverProcess,
    DriverTimeout,
    HandOver,
    SetUp,
    UnsupportedCase,
    WarmUpRules,
)
from nntest.measure.profiling import PrintedAccount
from nntest.measure.reference import expected
from tests.programs.build import REPOSITORY, built, case_of, start

pytestmark = pytest.mark.native


def is_gone(pid: int) -> bool:
    """Tell whether no process, not even a zombie, has this id."""
    return not psutil.pid_exists(pid)


def fails(name: str, verb: str = "setup", **options: float) -> DriverError:
    with start(name, timeout_s=options.get("timeout_s", 60.0)) as driver:
        with pytest.raises(DriverError) as caught:
            getattr(driver, verb)(1, case_of(name))
        pid = driver.pid
    assert is_gone(pid)
    return caught.value


def test_a_case_is_set_up_warmed_up_timed_and_its_output_written(tmp_path: Path) -> None:
    case = case_of("conv-works-cpu")
    with start("conv-works-cpu") as driver:
        setup = driver.setup(7, case)
        assert setup.implementation == "tiny"
        assert setup.native_layouts == {"input": "nchw", "weights": "oihw", "bias": "a", "output": "nchw"}
        assert setup.memory_bytes == 4 * (3 * 5 * 4 + 2 * 3 * 3 * 3 + 2 + 2 * 3 * 2)
        assert setup.weights_bytes == 4 * (2 * 3 * 3 * 3 + 2)
        assert min(setup.create_s, setup.first_run_s) > 0
        assert setup.prepare_weights_s == setup.reorder_in_s == setup.reorder_out_s == 0

        warm_up = driver.warm_up(7, max_s=0.01, tolerance=0.5, block_min_s=1e-3)
        assert len(warm_up.values_s) >= 2
        assert warm_up.loops > 1

        before = time.monotonic()
        block = driver.block(7, loops=warm_up.loops)
        assert before <= block.start_s <= time.monotonic()
        assert block.loops == warm_up.loops
        assert block.seconds > 0
        assert block.prime_calls >= 1
        assert min(block.involuntary_switches, block.minor_faults, block.major_faults) >= 0

        assert (setup.hash, setup.written) == ("", False)
        output = driver.output(7, tmp_path / "a path with = and %.bin")
        values = np.fromfile(tmp_path / "a path with = and %.bin", np.float32).reshape(1, 2, 3, 2)
        np.testing.assert_allclose(values, expected(case), rtol=1e-5, atol=1e-5)
        assert output.written
        assert len(output.hash) == 16
        again = driver.output(7, tmp_path / "again.bin", unless=output.hash)
        assert again.hash == output.hash
        assert not again.written
        assert not (tmp_path / "again.bin").exists()


@pytest.mark.parametrize("layout", ["auto", "NCHW"])
def test_the_first_run_gives_its_output_at_once(layout: str, tmp_path: Path) -> None:
    case = case_of("conv-works-cpu", layout=layout)
    with start("conv-works-cpu") as driver:
        setup = driver.setup(1, case, tmp_path / "first.bin")
        output = driver.output(1, tmp_path / "later.bin")
        known = driver.setup(2, case, tmp_path / "known.bin", unless=setup.hash)
    assert (setup.written, known.written) == (True, False)
    assert setup.hash == output.hash == known.hash
    assert (tmp_path / "first.bin").read_bytes() == (tmp_path / "later.bin").read_bytes()
    assert not (tmp_path / "known.bin").exists()


def test_a_longer_file_of_that_name_is_cut(tmp_path: Path) -> None:
    (tmp_path / "out.bin").write_bytes(bytes(10_000))
    with start("conv-works-cpu") as driver:
        driver.setup(1, case_of("conv-works-cpu"), tmp_path / "out.bin")
    assert (tmp_path / "out.bin").stat().st_size == 12 * 4


def test_dropped_and_unknown_keys_are_refused() -> None:
    with start("conv-works-cpu") as driver:
        driver.setup(1, case_of("conv-works-cpu"))
        driver.drop(1)
        driver.drop(1)
        with pytest.raises(DriverFailure, match=r"^conv-works-cpu: block: key 1 is not set up$"):
            driver.block(1, loops=1)


def test_a_block_of_no_calls_is_refused() -> None:
    with start("conv-works-cpu") as driver:
        driver.setup(1, case_of("conv-works-cpu"))
        with pytest.raises(DriverFailure, match="loops is 0; expected at least 1"):
            driver.block(1, loops=0)


def test_an_answer_that_came_while_nobody_looked_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    with start("conv-works-cpu", timeout_s=5.0) as driver:
        select = driver._selector.select
        looks: list[float] = []

        def stopped_at_first(timeout: float) -> object:
            looks.append(timeout)
            if len(looks) > 1:
                return select(5.0)
            monkeypatch.setattr("nntest.measure.driver.time.monotonic", lambda: 1e12)
            return []

        monkeypatch.setattr(driver._selector, "select", stopped_at_first)
        driver.setup(1, case_of("conv-works-cpu"))
    assert looks[1] == 0


RULES = WarmUpRules(max_s=0.01, tolerance=0.5, block_min_s=1e-3)


def test_what_was_sent_ahead_is_answered_in_its_turn(tmp_path: Path) -> None:
    first_file, out = tmp_path / "first.bin", tmp_path / "out.bin"
    case = case_of("conv-works-cpu")
    with start("conv-works-cpu") as driver:
        driver.send(Ahead(key=1, set_up=SetUp(case=case, output=first_file), warm_up=RULES))
        first = driver.setup(1, case, first_file)
        driver.send(Ahead(key=1, block=True, output=(out, "")))
        loops = driver.warm_up(1, **RULES).loops
        assert driver.block(1, loops=None).loops == loops
        assert driver.output(1, out).hash == first.hash
        assert driver.block(1, loops=2).loops == 2


def test_quiet_answers_are_there_when_a_later_one_wakes(tmp_path: Path) -> None:
    case = case_of("conv-works-cpu")
    with start("conv-works-cpu") as driver:
        driver.send(Ahead(key=1, set_up=SetUp(case=case), warm_up=RULES, quiet=True))
        driver.send(Ahead(key=1, block=True))
        driver.setup(1, case)
        loops = driver.warm_up(1, **RULES).loops
        assert driver.block(1, loops=None).loops == loops
        assert driver.block(1, loops=2).loops == 2


ENDLESS = 10**15


def test_a_crash_behind_quiet_answers_is_the_request_that_crashed() -> None:
    case = case_of("conv-works-cpu")
    with start("conv-works-cpu") as driver:
        driver.send(Ahead(key=1, set_up=SetUp(case=case), warm_up=RULES, quiet=True))
        driver.send(Ahead(key=1, block=True, loops=ENDLESS))
        killer = threading.Timer(1.0, os.kill, (driver.pid, signal.SIGKILL))
        killer.start()
        driver.setup(1, case)
        driver.warm_up(1, **RULES)
        with pytest.raises(DriverCrash, match=r"^conv-works-cpu: block: the driver was ended by SIGKILL$"):
            driver.block(1, loops=ENDLESS)
        killer.join()


def test_a_hang_behind_quiet_answers_is_the_request_that_hangs() -> None:
    case = case_of("conv-works-cpu")
    with start("conv-works-cpu", timeout_s=1.0) as driver:
        driver.send(Ahead(key=1, set_up=SetUp(case=case), warm_up=RULES, quiet=True))
        driver.send(Ahead(key=1, block=True, loops=ENDLESS))
        driver.setup(1, case)
        driver.warm_up(1, **RULES)
        with pytest.raises(DriverTimeout, match=r"^conv-works-cpu: block: no answer within 1 s, killed$"):
            driver.block(1, loops=ENDLESS)


def test_a_refusal_wakes_also_where_it_was_to_be_quiet() -> None:
    wrong = case_of("conv-works-cpu", layout="NCHW16c")
    with start("conv-works-cpu", timeout_s=5.0) as driver:
        driver.send(Ahead(key=1, set_up=SetUp(case=wrong), quiet=True))
        with pytest.raises(UnsupportedCase):
            driver.setup(1, wrong)


def test_what_was_sent_ahead_and_is_not_asked_is_answered_for_nobody(tmp_path: Path) -> None:
    with start("conv-works-cpu") as driver:
        driver.setup(1, case_of("conv-works-cpu"))
        driver.send(Ahead(key=1, warm_up=RULES, block=True, loops=5))
        assert driver.output(1, tmp_path / "out.bin").written
        assert driver.block(1, loops=3).loops == 3
        driver.send(Ahead(key=1, block=True, loops=4))
        driver.settle()
        assert driver.block(1, loops=3).loops == 3


def test_a_refused_request_takes_along_what_was_sent_behind_it() -> None:
    wrong = case_of("conv-works-cpu", layout="NCHW16c")
    with start("conv-works-cpu") as driver:
        driver.send(Ahead(key=1, set_up=SetUp(case=wrong), warm_up=RULES))
        with pytest.raises(UnsupportedCase):
            driver.setup(1, wrong)
        driver.setup(1, case_of("conv-works-cpu"))
        assert driver.block(1, loops=3).loops == 3


class TestHandOver:
    """Two drivers, of which the first begins what the second is to do next, in the session's place."""

    @pytest.fixture
    def drivers(self) -> Iterator[tuple[DriverProcess, DriverProcess]]:
        with start("conv-works-cpu", timeout_s=20.0) as first, start("conv-works-cpu", timeout_s=20.0) as second:
            yield first, second

    @staticmethod
    def coming(output: Path) -> Ahead:
        return Ahead(key=1, set_up=SetUp(case=case_of("conv-works-cpu"), output=output), warm_up=RULES, quiet=True)

    def finish(self, driver: DriverProcess, coming: Ahead) -> None:
        """Measure what was prepared; an answer too many or too few would be another request's."""
        assert coming.set_up is not None
        driver.send(coming)
        driver.send(Ahead(key=1, block=True, loops=3))
        answer = driver.setup(1, coming.set_up.case, coming.set_up.output)
        assert (answer.written, answer.implementation) == (True, "tiny")
        assert driver.warm_up(1, **RULES).loops >= 1
        assert driver.block(1, loops=3).loops == 3
        assert driver.block(1, loops=2).loops == 2

    def test_the_second_begins_when_the_first_is_done_and_takes_each_request_once(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        case, out = case_of("conv-works-cpu"), tmp_path / "second.bin"
        first.setup(1, case_of("conv-works-cpu", seed=5), tmp_path / "first.bin")  # whose output is of no concern now
        known = first.setup(1, case, tmp_path / "first.bin").hash
        for _ in range(3):
            then = second.hand_over(self.coming(out))
            first.send(Ahead(key=1, block=True, loops=2, output=(tmp_path / "x", known), then=then, known=known))
            first.block(1, loops=2)
            assert not first.output(1, tmp_path / "x", unless=known).written
            assert until(out.exists)  # nobody has asked
            self.finish(second, self.coming(out))
            out.unlink()

    def test_nothing_is_handed_over_before_an_unknown_output_is_compared(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        out = tmp_path / "second.bin"
        known = first.setup(1, case_of("conv-works-cpu"), tmp_path / "first.bin").hash
        for passed, unless in (("another", known), (known, "another")):
            then = second.hand_over(self.coming(out))
            first.send(Ahead(key=1, output=(tmp_path / "x", unless), then=then, known=passed))
            assert first.output(1, tmp_path / "x", unless=unless).hash == known
            first.drop(2)  # what it would have written is written by now
            assert not out.exists() if passed != known else until(out.exists)
            self.finish(second, self.coming(out))
            out.unlink()

    def test_a_set_up_that_gave_another_output_hands_nothing_over(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        out = tmp_path / "second.bin"
        first.setup(1, case_of("conv-works-cpu"), tmp_path / "first.bin")
        then = second.hand_over(self.coming(out))
        first.send(Ahead(key=1, block=True, loops=2, then=then, known="another"))
        first.block(1, loops=2)
        first.drop(2)
        assert not out.exists()
        self.finish(second, self.coming(out))

    def test_a_request_that_fails_hands_nothing_over(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        out = tmp_path / "second.bin"
        first.send(Ahead(key=9, block=True, loops=2, then=second.hand_over(self.coming(out))))
        with pytest.raises(DriverFailure, match="key 9 is not set up"):
            first.block(9, loops=2)
        first.drop(2)
        assert not out.exists()
        self.finish(second, self.coming(out))

    def test_a_first_one_that_dies_is_not_missed(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        first.setup(1, case_of("conv-works-cpu"))
        then = second.hand_over(self.coming(tmp_path / "second.bin"))
        first.send(Ahead(key=1, block=True, loops=ENDLESS, then=then))
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(DriverCrash):
            first.block(1, loops=ENDLESS)
        self.finish(second, self.coming(tmp_path / "second.bin"))

    def test_a_second_one_that_died_is_told_when_it_is_asked(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        first.setup(1, case_of("conv-works-cpu"))
        coming = self.coming(tmp_path / "second.bin")
        then = second.hand_over(coming)
        os.kill(second.pid, signal.SIGKILL)
        os.waitid(os.P_PID, second.pid, os.WEXITED | os.WNOWAIT)
        first.send(Ahead(key=1, block=True, loops=2, then=then))
        assert first.block(1, loops=2).loops == 2
        assert first.block(1, loops=3).loops == 3
        second.send(coming)
        assert coming.set_up is not None
        with pytest.raises(DriverCrash, match=r"^conv-works-cpu: setup: the driver was ended by SIGKILL$"):
            second.setup(1, coming.set_up.case, coming.set_up.output)

    def test_something_else_is_asked_after_what_was_promised(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        _, second = drivers
        other = Ahead(key=2, set_up=SetUp(case=case_of("conv-works-cpu")))
        assert second.hand_over(other) is not None
        assert second.hand_over(other) is None  # one promise at a time
        self.finish(second, self.coming(tmp_path / "second.bin"))
        assert second.block(2, loops=2).loops == 2
        assert second.hand_over(Ahead(key=2, set_up=SetUp(case=case_of("conv-works-cpu")))) is not None
        assert second.block(1, loops=2).loops == 2

    def test_requests_of_another_process_are_passed_over(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        out = tmp_path / "other.bin"
        stale = second.hand_over(self.coming(out))
        assert stale is not None
        there = HandOver(
            path=f"/proc/{os.getpid()}/fd/{first._requests}",
            inode=os.fstat(first._requests).st_ino,
            lines=stale.lines,
        )
        second.setup(5, case_of("conv-works-cpu"))
        second.send(Ahead(key=5, block=True, loops=2, then=there))
        second.block(5, loops=2)
        second.drop(9)
        assert first.setup(1, case_of("conv-works-cpu")).hash == ""
        assert first.block(1, loops=2).loops == 2

    def test_a_late_hand_over_writes_into_nothing_else(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        first.setup(1, case_of("conv-works-cpu"))
        then = second.hand_over(self.coming(tmp_path / "second.bin"))
        assert then is not None
        number = int(then.path.rpartition("/")[2])
        second.close()
        taken = os.open(os.devnull, os.O_RDONLY)
        os.dup2(taken, number)
        other = tmp_path / "other"
        other.write_bytes(b"precious")
        file = os.open(other, os.O_RDONLY)
        pipe = os.pipe()
        try:
            for stands_there in (file, *pipe):
                os.dup2(stands_there, number)
                first.send(Ahead(key=1, block=True, loops=2, then=then))
                assert first.block(1, loops=2).loops == 2
                first.drop(2)
            os.set_blocking(pipe[0], False)
            with pytest.raises(BlockingIOError):
                os.read(pipe[0], 1)
        finally:
            for descriptor in {number, taken, file, *pipe}:
                os.close(descriptor)
        assert other.read_bytes() == b"precious"

    def test_a_hand_over_may_come_after_all_that_was_asked(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        _, second = drivers
        then = second.hand_over(self.coming(tmp_path / "second.bin"))
        assert then is not None
        self.finish(second, self.coming(tmp_path / "second.bin"))
        os.write(second._requests, then.lines.encode())
        assert second.block(1, loops=3).loops == 3

    def test_a_longer_wish_goes_on_from_what_was_promised(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        _, second = drivers
        coming = self.coming(tmp_path / "second.bin")
        assert second.hand_over(replace(coming, warm_up=None)) is not None
        self.finish(second, coming)

    def test_a_refusal_of_what_was_handed_over_is_told_when_it_is_asked(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        first, second = drivers
        first.setup(1, case_of("conv-works-cpu"))
        wrong = case_of("conv-works-cpu", layout="NCHW16c")
        coming = Ahead(key=1, set_up=SetUp(case=wrong), warm_up=RULES, quiet=True)
        first.send(Ahead(key=1, block=True, loops=2, then=second.hand_over(coming)))
        first.block(1, loops=2)
        second.send(coming)
        with pytest.raises(UnsupportedCase):
            second.setup(1, wrong)
        self.finish(second, self.coming(tmp_path / "second.bin"))

    def test_what_cannot_be_written_at_once_is_not_handed_over(
        self, drivers: tuple[DriverProcess, DriverProcess], tmp_path: Path
    ) -> None:
        _, second = drivers
        assert second.hand_over(self.coming(tmp_path / ("x" * 250) / ("y" * select.PIPE_BUF))) is None
        self.finish(second, self.coming(tmp_path / "second.bin"))


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        os.sched_yield()
    return condition()


def test_what_is_sent_to_a_dead_process_is_told_when_it_is_asked() -> None:
    with start("conv-works-cpu") as driver:
        os.kill(driver.pid, signal.SIGKILL)
        os.waitid(os.P_PID, driver.pid, os.WEXITED | os.WNOWAIT)
        driver.send(Ahead(key=1, block=True, loops=1))
        with pytest.raises(DriverCrash, match=r"^conv-works-cpu: block: the driver was ended by SIGKILL$"):
            driver.block(1, loops=1)
        driver.send(Ahead(key=1, block=True, loops=1))


def test_the_account_of_a_block_that_nobody_asked_for_is_not_the_next_ones() -> None:
    with start("conv-works-cpu", NNTEST_PROFILE_PRINTED="1") as driver:
        driver._accounts = PrintedAccount()
        driver.setup(1, case_of("conv-works-cpu"))
        driver.send(Ahead(key=1, block=True, loops=3))
        driver.settle()
        assert b"nntest-profile" not in driver._accounts._text


def test_loops_that_nobody_calibrated() -> None:
    with start("conv-works-cpu") as driver:
        driver.setup(1, case_of("conv-works-cpu"))
        with pytest.raises(DriverFailure, match="the loops are not calibrated; ask for a warm-up first"):
            driver.block(1, loops=None)


def test_the_describe_answer_names_the_library() -> None:
    with start("conv-works-cpu") as driver:
        assert driver.describe["library"] == "plain-cpu"
        assert driver.hello["species"] == "conv"


def test_unsupported_is_an_answer_and_the_process_lives_on() -> None:
    with start("conv-unsupported-cpu") as driver:
        for _ in range(2):
            with pytest.raises(UnsupportedCase, match=r"^this operator supports nothing$"):
                driver.setup(1, case_of("conv-unsupported-cpu"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"layout": "NHWC"}, "layout NHWC; this operator knows NCHW,auto"),
        ({"post_ops": "relu"}, "post_ops relu cannot be fused here"),
        ({"dtype": "bfloat16"}, "dtype bfloat16; this driver knows float32 and uint8"),
    ],
)
def test_what_a_program_does_not_know_is_unsupported(options: dict[str, str], reason: str) -> None:
    with start("conv-works-cpu") as driver, pytest.raises(UnsupportedCase) as caught:
        driver.setup(1, case_of("conv-works-cpu", **options))
    assert str(caught.value) == reason


def test_an_error_of_the_operator_is_told_in_its_words() -> None:
    with start("conv-error-cpu") as driver:
        with pytest.raises(DriverFailure) as caught:
            driver.setup(1, case_of("conv-error-cpu"))
        assert caught.value.reason == "conv-error-cpu: run: the library returned status 7"
        driver.drop(1)  # it still answers


def test_a_crash_names_the_signal_and_the_process_is_reaped() -> None:
    error = fails("conv-crash-cpu")
    assert isinstance(error, DriverCrash)
    assert str(error) == "conv-crash-cpu: setup: the driver was ended by SIGSEGV"


def test_a_program_that_exits_is_a_crash_with_its_code() -> None:
    error = fails("conv-exit-cpu")
    assert isinstance(error, DriverCrash)
    assert str(error) == "conv-exit-cpu: setup: the driver exited with code 3"


def test_a_hang_is_killed_and_told_with_its_last_words() -> None:
    with start("conv-hang-cpu") as driver:
        driver._timeout_s = 0.2
        with pytest.raises(DriverTimeout) as caught:
            driver.setup(1, case_of("conv-hang-cpu"))
        assert is_gone(driver.pid)
    assert str(caught.value) == ("conv-hang-cpu: setup: no answer within 0.2 s, killed; last output: waiting for ever")


def test_what_a_library_prints_disturbs_no_answer_and_is_bounded(tmp_path: Path) -> None:
    case = case_of("conv-chatty-cpu")
    with start("conv-chatty-cpu") as driver:
        driver.setup(1, case)
        driver.output(1, tmp_path / "out.bin")
        driver.block(1, loops=2)
        assert len(driver._kept) <= 8192
        os.kill(driver.pid, signal.SIGKILL)
        with pytest.raises(DriverCrash) as caught:
            driver.block(1, loops=1)
    values = np.fromfile(tmp_path / "out.bin", np.float32).reshape(1, 2, 3, 2)
    np.testing.assert_allclose(values, expected(case), rtol=1e-5, atol=1e-5)
    assert caught.value.reason.startswith("conv-chatty-cpu: block: the driver was ended by SIGKILL; last output: ")
    assert caught.value.reason.isprintable()


def test_what_an_operator_leaves_unwritten_is_nan(tmp_path: Path) -> None:
    with start("conv-unwritten-cpu") as driver:
        driver.setup(1, case_of("conv-unwritten-cpu"), tmp_path / "out.bin")
    values = np.fromfile(tmp_path / "out.bin", np.float32)
    assert np.isfinite(values[:6]).all()
    assert np.isnan(values[6:]).all()


def test_an_output_that_changes_has_another_hash(tmp_path: Path) -> None:
    with start("conv-drift-cpu") as driver:
        driver.setup(1, case_of("conv-drift-cpu"))
        hashes = [driver.output(1, tmp_path / "out.bin").hash for _ in range(2)]
    assert hashes[0] != hashes[1]


def test_denormals_are_flushed_in_all_threads(tmp_path: Path) -> None:
    with start("conv-denormal-cpu") as driver:
        driver.setup(1, case_of("conv-denormal-cpu"))
        driver.output(1, tmp_path / "out.bin")
    assert not np.fromfile(tmp_path / "out.bin", np.float32).any()


def test_inputs_are_dumped_as_the_reference_makes_them(tmp_path: Path) -> None:
    from nntest.measure.inputs import stream_values

    with start("conv-works-cpu") as driver:
        for data in ("normal", "relu", "int", "zeros"):
            driver.setup(1, case_of("conv-works-cpu", data=data, seed=2**40 + 3))
            driver.dump_tensor(1, "input", tmp_path / "input.bin")
            dumped = np.fromfile(tmp_path / "input.bin", np.float32)
            np.testing.assert_array_equal(dumped, stream_values(2**40 + 3, "input", count=60, fill=data))
        with pytest.raises(DriverFailure, match="the case has no generated tensor 'output'"):
            driver.dump_tensor(1, "output", tmp_path / "output.bin")


@pytest.mark.parametrize("cache", ["warm", "cold_weights", "cold_all"])
def test_cold_calls_are_timed_singly(cache: str) -> None:
    with start("conv-works-cpu") as driver:
        driver.setup(1, case_of("conv-works-cpu", cache=cache))
        block = driver.block(1, loops=5)
    assert block.loops == 5
    assert block.seconds > 0


def test_a_paused_process_stands_still_and_goes_on_when_asked() -> None:
    with start("conv-works-cpu") as driver:
        driver.pause()
        driver.pause()
        assert psutil.Process(driver.pid).status() == psutil.STATUS_STOPPED
        driver.resume()
        driver.resume()
        driver.pause()
        driver.setup(1, case_of("conv-works-cpu"))
        driver.pause()
    assert is_gone(driver.pid)


def test_a_closed_driver_refuses_requests() -> None:
    driver = start("conv-works-cpu")
    driver.close()
    driver.close()
    with pytest.raises(DriverFailure, match="drop: the process was closed"):
        driver.drop(1)


def test_no_descriptor_stays_open() -> None:
    folder = Path("/proc/self/fd")
    start("conv-works-cpu").close()
    before = len(list(folder.iterdir()))
    for _ in range(3):
        start("conv-works-cpu").close()
        fails("conv-crash-cpu")
    assert len(list(folder.iterdir())) == before


def test_threads_are_pinned_and_read_back() -> None:
    core = min(os.sched_getaffinity(0))
    with DriverProcess.start(
        built("conv-works-cpu"), cores=[core], threads=1, env={}, heap_offset=0, timeout_s=60.0
    ) as driver:
        assert driver.setup(1, case_of("conv-works-cpu")).cores == (core,)
        assert psutil.Process(driver.pid).cpu_affinity() == [core]


def test_a_core_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DriverCrash, match="core 1000 was refused: Invalid argument"):
        DriverProcess.start(built("conv-works-cpu"), cores=[1000], threads=1, env={}, heap_offset=0, timeout_s=60.0)


def test_the_peak_is_measured_for_every_thread_that_was_asked_for() -> None:
    with start("conv-works-cpu") as driver:
        one = driver.peak(threads=1, seconds=0.01)
        assert one.threads == 1
        assert one.gflops >= one.gflops_median > 0
        assert one.isa
        assert driver.peak(threads=2, seconds=0.01).threads == 2
        with pytest.raises(DriverFailure, match="expected 1 to the number of pinned cores"):
            driver.peak(threads=0, seconds=0.01)


def test_variables_of_the_shell_do_not_reach_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "63")
    monkeypatch.setenv("ONEDNN_VERBOSE", "1")
    with start("conv-works-cpu", threads=2, OPENBLAS_VERBOSE="1") as driver:
        environment = psutil.Process(driver.pid).environ()
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["OPENBLAS_VERBOSE"] == "1"
    assert "ONEDNN_VERBOSE" not in environment


def test_a_driver_dies_with_the_session_that_is_killed() -> None:
    script = textwrap.dedent("""
        import sys, time
        from tests.programs.build import start
        driver = start("conv-works-cpu")
        driver.pause()
        print(driver.pid, flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout is not None
        driver = psutil.Process(int(session.stdout.readline()))
        session.kill()
        session.wait()
        psutil.wait_procs([driver], timeout=10)
        assert not driver.is_running() or driver.status() == psutil.STATUS_ZOMBIE
