"""Work that waits is done once, in order."""

import pytest

from nntest.measure.backlog import Backlog


def test_what_waits_is_done_once_and_in_order() -> None:
    done: list[int] = []
    backlog = Backlog()
    for number in range(3):
        backlog.add(lambda number=number: done.append(number))
    backlog.clear()
    backlog.clear()
    assert done == [0, 1, 2]


def test_what_stands_behind_a_failure_still_waits() -> None:
    done: list[int] = []

    def fail() -> None:
        raise ValueError

    backlog = Backlog()
    backlog.add(fail)
    backlog.add(lambda: done.append(1))
    with pytest.raises(ValueError):
        backlog.clear()
    backlog.clear()
    assert done == [1]
