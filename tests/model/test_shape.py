"""Sliding windows, TensorFlow's padding, and the reading of CK_* values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.errors import UsageError
from nntest.model.shape import Window, in_range, same_pads, whole_number

SIZES = st.integers(1, 40)


@given(
    size=SIZES, kernel=SIZES, stride=SIZES, before=st.integers(0, 9), after=st.integers(0, 9), step=st.integers(1, 4)
)
def test_output_counts_the_places_where_the_window_fits(
    size: int, kernel: int, stride: int, before: int, after: int, step: int
) -> None:
    extent = (kernel - 1) * step + 1
    padded = before + size + after
    places = [start for start in range(0, padded, stride) if start + extent <= padded]
    window = Window((kernel, 1), (stride, 1), (before, 0, after, 0), (step, 1))
    if places:
        assert window.output(size, 1) == (len(places), 1)
    assert window.extent == (extent, 1)


@given(size=SIZES, extent=SIZES, stride=SIZES)
def test_same_padding_gives_one_output_per_stride_and_no_needless_pixel(size: int, extent: int, stride: int) -> None:
    before, after = same_pads(size, extent, stride)
    assert after - before in (0, 1)
    outputs = -(-size // stride)
    reach = (outputs - 1) * stride + extent
    assert size + before + after >= reach
    assert before + after == 0 or size + before + after == reach


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0", " 3 "])
def test_whole_numbers_in_every_form_that_ck_writes(value: object) -> None:
    assert whole_number(value, where="x", key="CK_CONV_PAD") == 3


@pytest.mark.parametrize("value", [3.5, "3.5", "three", "", None, True, [3], float("nan"), "inf", "1e999"])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(UsageError) as error:
        whole_number(value, where="shape-1.json", key="CK_CONV_PAD")
    assert str(error.value) == (f"shape-1.json: CK_CONV_PAD is {value!r}; expected a whole number; correct the shape")


def test_limits_are_stated() -> None:
    with pytest.raises(UsageError) as error:
        in_range(0, where="x", key="CK_CONV_STRIDE", minimum=1)
    assert str(error.value) == "x: CK_CONV_STRIDE is 0; expected at least 1; correct the shape"
    with pytest.raises(UsageError) as error:
        in_range(2**31, where="x", key="CK_IN_SHAPE_C", minimum=1)
    assert str(error.value) == ("x: CK_IN_SHAPE_C is 2147483648; expected at most 2147483647; choose a smaller shape")
