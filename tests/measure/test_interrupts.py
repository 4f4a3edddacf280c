"""Signals end a session where that is safe."""

import os
import signal

import pytest

from nntest.measure.interrupts import Interrupts, SessionInterrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_steps_waits_for_the_check(number: signal.Signals) -> None:
    with Interrupts() as interrupts:
        os.kill(os.getpid(), number)
        assert interrupts.requested
        with pytest.raises(SessionInterrupted):
            interrupts.check()


def test_a_signal_while_waiting_ends_the_wait() -> None:
    reached = []
    with Interrupts() as interrupts:
        with pytest.raises(SessionInterrupted), interrupts.waiting():
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append("after")
        os.kill(os.getpid(), signal.SIGTERM)  # a second one finds nobody waiting
    assert reached == []


def test_who_was_asked_to_stop_does_not_begin_to_wait() -> None:
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SessionInterrupted), interrupts.waiting():
            raise AssertionError


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
