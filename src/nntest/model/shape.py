"""Parameters of a shape: reading CK_* values, refusing nonsense, and the arithmetic of sliding windows."""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nntest.errors import UsageError

Parameters = Mapping[str, int]

BATCH_KEY = "CK_IN_SHAPE_N"
# Libraries index with 32-bit integers, and a larger tensor than this (8 GB of float32) fits no benchmark.
MAX_ELEMENTS = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Field:
    """One normalised parameter.

    ``default`` is None where a value is required. ``written`` says that a shape file holds the key even when its
    value is the default, as the original's files do.
    """

    key: str
    default: int | None = None
    minimum: int = 1
    written: bool = True


@dataclass(frozen=True)
class Window:
    """Kernel, stride, padding and dilation of a sliding window along height and width."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)

    @classmethod
    def of(cls, parameters: Parameters, prefix: str) -> "Window":
        """Read the window whose keys begin with ``prefix`` (``CK_CONV``, ``CK_DEPTHWISE``, ``CK_POOL``)."""
        return cls(
            kernel=(parameters[f"{prefix}_KERNEL_H"], parameters[f"{prefix}_KERNEL_W"]),
            stride=(parameters[f"{prefix}_STRIDE_H"], parameters[f"{prefix}_STRIDE_W"]),
            pads=(
                parameters[f"{prefix}_PAD_T"],
                parameters[f"{prefix}_PAD_L"],
                parameters[f"{prefix}_PAD_B"],
                parameters[f"{prefix}_PAD_R"],
            ),
            dilation=(parameters.get(f"{prefix}_DILATION_H", 1), parameters.get(f"{prefix}_DILATION_W", 1)),
        )

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns that one window spans, dilation included."""
        return (
            (self.kernel[0] - 1) * self.dilation[0] + 1,
            (self.kernel[1] - 1) * self.dilation[1] + 1,
        )

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """Size of the input with its padding."""
        top, left, bottom, right = self.pads
        return top + height + bottom, left + width + right

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Number of windows along height and width (floor, as the libraries count)."""
        padded, extent = self.padded(height, width), self.extent
        return (
            (padded[0] - extent[0]) // self.stride[0] + 1,
            (padded[1] - extent[1]) // self.stride[1] + 1,
        )


def window_fields(prefix: str, *, kernel: int | None = None, dilation: bool = True) -> tuple[Field, ...]:
    """Fields of a window; ``kernel`` is the default kernel size, None where the file must say it."""
    fields = [
        *(Field(key=f"{prefix}_KERNEL_{axis}", default=kernel, written=kernel is None) for axis in "HW"),
        *(Field(key=f"{prefix}_STRIDE_{axis}", default=1) for axis in "HW"),
        *(Field(key=f"{prefix}_PAD_{side}", default=0, minimum=0) for side in "TLBR"),
    ]
    if dilation:
        fields += [Field(key=f"{prefix}_DILATION_{axis}", default=1, written=False) for axis in "HW"]
    return tuple(fields)


def window_shorts(prefix: str, *, dilation: bool = True) -> dict[str, tuple[str, ...]]:
    """Short keys of the original (one number for a square window) and the keys that each stands for."""
    shorts = {
        f"{prefix}_KERNEL": (f"{prefix}_KERNEL_H", f"{prefix}_KERNEL_W"),
        f"{prefix}_STRIDE": (f"{prefix}_STRIDE_H", f"{prefix}_STRIDE_W"),
        f"{prefix}_PAD": tuple(f"{prefix}_PAD_{side}" for side in "TLBR"),
    }
    if dilation:
        shorts[f"{prefix}_DILATION"] = (f"{prefix}_DILATION_H", f"{prefix}_DILATION_W")
    return shorts


def same_pads(size: int, extent: int, stride: int) -> tuple[int, int]:
    """Return the padding before and after of TensorFlow's SAME: output = ceil(size / stride), odd pixel at the end."""
    total = max((math.ceil(size / stride) - 1) * stride + extent - size, 0)
    return total // 2, total - total // 2


def read_parameters(
    raw: Mapping[str, object],
    *,
    where: str,
    fields: Sequence[Field],
    shorts: Mapping[str, tuple[str, ...]],
    rewrite: Callable[[dict[str, int], str], dict[str, int]] | None = None,
    extra_keys: Sequence[str] = (),
) -> tuple[dict[str, int], int]:
    """Turn CK_* values into complete integer parameters and the batch size.

    A long key (``CK_CONV_PAD_T``) wins over the short one (``CK_CONV_PAD``). ``rewrite`` turns ``extra_keys`` into
    others before the defaults are filled in.

    Raises
    ------
    UsageError
        An unknown key, a missing one, or a value that is no whole number in range.
    """
    known = [BATCH_KEY, *(field.key for field in fields), *shorts, *extra_keys]
    for key in raw:
        if key not in known:
            raise UsageError(_unknown_key(where, key, known))
    values = {key: whole_number(value, where=where, key=key) for key, value in raw.items()}
    if rewrite is not None:
        values = rewrite(values, where)
    for short, keys in shorts.items():
        if short in values:
            values = {**dict.fromkeys(keys, values[short]), **values}
    parameters: dict[str, int] = {}
    for field in fields:
        if field.key not in values and field.default is None:
            short_key = next((short for short, keys in shorts.items() if field.key in keys), field.key)
            raise UsageError(f"{where}: {short_key} is missing; expected a whole number; add it to the shape")
        value = values.get(field.key, field.default if field.default is not None else 0)
        parameters[field.key] = in_range(value, where=where, key=field.key, minimum=field.minimum)
    return parameters, in_range(values.get(BATCH_KEY, 1), where=where, key=BATCH_KEY, minimum=1)


def whole_number(value: object, *, where: str, key: str) -> int:
    """Accept 3, 3.0, "3" and "3.0"; CK hands numbers over as strings, and the original wrote alpha as 1.0."""
    number: float | int | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str):
        number = _parse(value)
    if number is not None and math.isfinite(number) and number == int(number):
        return int(number)
    raise UsageError(f"{where}: {key} is {value!r}; expected a whole number; correct the shape")


def in_range(value: int, *, where: str, key: str, minimum: int) -> int:
    """Return ``value``, or refuse it when it is below ``minimum`` or beyond 32-bit sizes."""
    if value < minimum:
        raise UsageError(f"{where}: {key} is {value}; expected at least {minimum}; correct the shape")
    if value > MAX_ELEMENTS:
        raise UsageError(f"{where}: {key} is {value}; expected at most {MAX_ELEMENTS}; choose a smaller shape")
    return value


def require_window_fits(parameters: Parameters, prefix: str, *, where: str) -> None:
    """Refuse a kernel that is larger than the padded input: it would have no output."""
    window = Window.of(parameters, prefix)
    height, width = parameters["CK_IN_SHAPE_H"], parameters["CK_IN_SHAPE_W"]
    padded, extent = window.padded(height, width), window.extent
    if extent[0] > padded[0] or extent[1] > padded[1]:
        dilated = " (dilation included)" if window.dilation != (1, 1) else ""
        raise UsageError(
            f"{where}: the kernel is {extent[0]}x{extent[1]}{dilated}, the padded input {padded[0]}x{padded[1]}; "
            "expected a kernel that fits into the padded input; correct the kernel, the padding or the input"
        )


def require_size(tensors: Mapping[str, tuple[int, ...]], *, where: str) -> None:
    """Refuse tensors with more elements than ``MAX_ELEMENTS``."""
    for role, dims in tensors.items():
        count = math.prod(dims)
        if count > MAX_ELEMENTS:
            raise UsageError(
                f"{where}: the {role} tensor {'x'.join(map(str, dims))} has {count} elements; "
                f"expected at most {MAX_ELEMENTS}; choose a smaller shape or batch size"
            )


def _parse(text: str) -> float | int | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _unknown_key(where: str, key: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1)
    advice = f"did you mean {nearest[0]}?" if nearest else "remove it from the shape"
    return f"{where}: {key} is not a parameter of this species; expected one of {', '.join(known)}; {advice}"
