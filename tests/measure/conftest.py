"""Fixtures of the session's tests."""

from pathlib import Path

import pytest

from tests.measure.fake_world import FakeWorld, make_repository


@pytest.fixture
def fake(tmp_path: Path) -> FakeWorld:
    """Return a world with two softmax programs and one of another species, three small shapes and their double."""
    make_repository(
        tmp_path / "repository",
        programs={
            "softmax-one": ("softmax", "one-cpu"),
            "softmax-two": ("softmax", "two-cpu"),
            "reorder-one": ("reorder", "one-cpu"),
        },
        datasets={
            "tensor-softmax-net": ("softmax", ["4-1-1", "8-1-1", "16-1-1"]),
            "tensor-softmax-other": ("softmax", ["8-1-1", "32-2-2"]),
        },
    )
    return FakeWorld(tmp_path)
