"""LiteRT through compiled models: channels innermost, padding by a word or an operator, what an entry costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nntest.measure.driver import DriverProcess, UnsupportedCase
from tests.programs.build import built, case_of, start

pytestmark = pytest.mark.native

NAME = "conv-litert-cpu"
SMALL = {"CK_IN_SHAPE_C": 12, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_OUT_SHAPE_C": 24, "CK_CONV_KERNEL": 3}


@pytest.fixture
def conv() -> Iterator[DriverProcess]:
    with start(NAME) as driver:
        yield driver


def test_its_layout_is_nhwc_and_the_weights_are_packed_by_set_up(conv: DriverProcess) -> None:
    own = conv.setup(1, case_of(NAME, SMALL, layout="auto"))
    plain = conv.setup(2, case_of(NAME, SMALL, layout="NHWC"))
    assert (own.native_layouts["input"], own.native_layouts["output"]) == ("acdb", "acdb")
    assert min(own.reorder_in_s, own.reorder_out_s, own.prepare_weights_s) > 0
    assert (plain.native_layouts["input"], plain.reorder_in_s, plain.reorder_out_s) == ("nhwc", 0, 0)


@pytest.mark.parametrize(
    ("values", "kernel"),
    [
        ({}, "CONV_2D"),
        ({"CK_CONV_PAD": 1}, "CONV_2D"),
        ({"CK_CONV_PAD": 2}, "PAD+CONV_2D"),
        ({"CK_CONV_GROUPS": 2}, "CONV_2D"),
        ({"CK_CONV_GROUPS": 12}, "DEPTHWISE_CONV_2D"),
    ],
)
def test_all_of_it_is_computed_by_the_delegate(conv: DriverProcess, values: dict[str, int], kernel: str) -> None:
    setup = conv.setup(1, case_of(NAME, {**SMALL, **values}, layout="NHWC", post_ops="relu"))
    assert setup.implementation == f"XNNPACK:{kernel}"


def test_what_entering_the_library_costs_is_told(conv: DriverProcess) -> None:
    assert conv.describe["library"] == "litert-cpu"
    assert conv.describe["version"] == built(NAME).subject.library.version
    assert 0 < conv.describe["call_s"] < 1e-3


def test_one_thread_is_one(conv: DriverProcess) -> None:
    for key in (1, 2):
        conv.setup(key, case_of(NAME, SMALL, layout="auto"))
    assert len(list(Path(f"/proc/{conv.pid}/task").iterdir())) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"layout": "NCHW"}, "layout NCHW; this operator knows NHWC,auto"),
        ({"threads": 2}, "threads 2; LiteRT is measured with one"),
        ({"cache": "cold_all"}, "cold caches: LiteRT keeps packed weights where they cannot be evicted"),
    ],
)
def test_what_it_cannot_do_is_refused(conv: DriverProcess, options: dict[str, object], reason: str) -> None:
    with pytest.raises(UnsupportedCase) as caught:
        conv.setup(1, case_of(NAME, SMALL, **options))
    assert caught.value.reason == reason
