"""Targets by name."""

from pathlib import Path

import pytest

from nntest.errors import MissingPartError, UsageError
from nntest.measure.targets import find_target


def test_native_needs_nothing(tmp_path: Path) -> None:
    target = find_target("native", tmp_path)
    assert (target.runner, target.compiler, target.emulator) == ((), None, "")


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^target: 'linux-arm64' was given; did you mean linux-arm64-qemu\?$"):
        find_target("linux-arm64", tmp_path)


def test_a_target_that_is_not_installed_says_what_installs_it(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError) as failed:
        find_target("linux-arm64-qemu", tmp_path)
    assert str(failed.value) == (
        "linux-arm64-qemu: the target is not installed "
        f"(looked in {tmp_path}/targets/linux-arm64-qemu); run `nntest target install linux-arm64-qemu`"
    )
