"""Every species: normalising, counting, naming, and what is refused."""

import itertools
import math
import re
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nntest.errors import UsageError
from nntest.model.species import SPECIES, find_species

SMALL = st.integers(1, 9)
PAD = st.integers(0, 4)
Raw = dict[str, object]


def _window(prefix: str, *, kernel: bool = True, dilation: bool = True) -> st.SearchStrategy[Raw]:
    """Short and long keys, mixed, some left to their defaults."""
    required: dict[str, st.SearchStrategy[object]] = {f"{prefix}_KERNEL": SMALL} if kernel else {}
    optional: dict[str, st.SearchStrategy[object]] = {
        **{f"{prefix}_{name}": SMALL for name in ("KERNEL_H", "KERNEL_W", "STRIDE", "STRIDE_H", "STRIDE_W")},
        **{f"{prefix}_PAD{side}": PAD for side in ("", "_T", "_L", "_B", "_R")},
    }
    if dilation:
        optional |= {f"{prefix}_DILATION{axis}": st.integers(1, 3) for axis in ("", "_H", "_W")}
    return st.fixed_dictionaries(required, optional=optional)


IMAGE = st.fixed_dictionaries({f"CK_IN_SHAPE_{axis}": SMALL for axis in "CHW"}, optional={"CK_IN_SHAPE_N": SMALL})
FLAT_PAIR = st.fixed_dictionaries(
    {"CK_IN_SHAPE_C": SMALL, "CK_OUT_SHAPE_C": SMALL},
    optional={f"CK_{side}_SHAPE_{axis}": SMALL for side in ("IN", "OUT") for axis in "HW"},
)
CONV_REST = st.fixed_dictionaries({"CK_OUT_SHAPE_C": SMALL}, optional={"CK_CONV_GROUPS": st.integers(1, 3)})
GEMM = st.fixed_dictionaries(
    {f"CK_GEMM_{axis}": SMALL for axis in "KMN"},
    optional={"CK_GEMM_ALPHA": st.integers(-3, 3), "CK_GEMM_BETA": st.integers(-3, 3)},
)
EXCLUDE = st.fixed_dictionaries({}, optional={"CK_EXCLUDE_PADDING": st.integers(0, 1)})


def _joined(*parts: st.SearchStrategy[Raw]) -> st.SearchStrategy[Raw]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


RAW = {
    "conv": _joined(IMAGE, _window("CK_CONV"), CONV_REST),
    "depthwiseconv": _joined(IMAGE, _window("CK_DEPTHWISE", kernel=False)),
    "fullyconnected": FLAT_PAIR,
    "gemm": GEMM,
    "avgpool": _joined(IMAGE, _window("CK_POOL", dilation=False), EXCLUDE),
    "maxpool": _joined(IMAGE, _window("CK_POOL", dilation=False)),
    "softmax": IMAGE,
    "reorder": IMAGE,
    "reshape": IMAGE.map(
        lambda raw: raw | {"CK_OUT_SHAPE_C": math.prod(raw[f"CK_IN_SHAPE_{axis}"] for axis in "CHW")}  # type: ignore[misc]
    ),
    "add": IMAGE,
    "concat": st.lists(SMALL, min_size=2, max_size=4).flatmap(
        lambda channels: st.fixed_dictionaries(
            {
                "CK_IN_SHAPE_C": st.just(channels[0]),
                **{f"CK_CONCAT_C{number}": st.just(count) for number, count in enumerate(channels[1:], start=1)},
                "CK_IN_SHAPE_H": SMALL,
                "CK_IN_SHAPE_W": SMALL,
            },
            optional={"CK_IN_SHAPE_N": SMALL},
        )
    ),
    "relu": IMAGE,
    "lrn": _joined(
        IMAGE,
        st.fixed_dictionaries(
            {},
            optional={
                "CK_LRN_SIZE": st.integers(0, 4).map(lambda half: 2 * half + 1),
                "CK_LRN_ALPHA_PPM": st.integers(1, 10**6),
                "CK_LRN_BETA_PERCENT": st.integers(1, 200),
                "CK_LRN_K": SMALL,
            },
        ),
    ),
    "batchnorm": _joined(IMAGE, st.fixed_dictionaries({}, optional={"CK_BATCHNORM_EPSILON_PPM": st.integers(0, 1000)})),
    "flatten": IMAGE,
    "resizebilinear": _joined(
        IMAGE,
        st.fixed_dictionaries(
            {"CK_OUT_SHAPE_H": SMALL, "CK_OUT_SHAPE_W": SMALL}, optional={"CK_HALF_PIXEL_CENTERS": st.integers(0, 1)}
        ),
    ),
    "layernorm": st.fixed_dictionaries(
        {"CK_LAYERNORM_M": SMALL, "CK_LAYERNORM_N": st.integers(2, 9)},
        optional={"CK_LAYERNORM_EPSILON_PPM": st.integers(0, 1000), "CK_IN_SHAPE_N": SMALL},
    ),
    "attention": st.fixed_dictionaries(
        {f"CK_ATTENTION_{name}": SMALL for name in ("HEADS", "QUERIES", "KEYS", "DIM")},
        optional={"CK_ATTENTION_CAUSAL": st.integers(0, 1), "CK_IN_SHAPE_N": SMALL},
    ),
}

every_species = pytest.mark.parametrize("name", list(SPECIES))


def _accepted(name: str, raw: Raw) -> tuple[dict[str, int], int]:
    """Normalise, or drop the example: a random kernel may not fit."""
    try:
        return SPECIES[name].normalise(raw)
    except UsageError:
        assume(False)
        raise


def test_strategies_cover_the_table() -> None:
    assert set(RAW) == set(SPECIES)


@every_species
@given(data=st.data())
def test_normalise_is_idempotent_and_reads_what_files_hold(name: str, data: st.DataObject) -> None:
    species = SPECIES[name]
    raw = data.draw(RAW[name])
    parameters, batch_size = _accepted(name, raw)
    assert list(parameters) == [field.key for field in species.fields]
    assert species.normalise(parameters) == (parameters, 1)
    assert species.normalise({key: str(value) for key, value in raw.items()}) == (parameters, batch_size)
    assert species.normalise(species.ck_values(parameters, batch_size)) == (parameters, batch_size)
    assert set(raw) <= set(species.keys)


@every_species
@given(data=st.data())
def test_work_and_traffic_agree_with_the_tensors(name: str, data: st.DataObject) -> None:
    species = SPECIES[name]
    parameters, batch_size = _accepted(name, data.draw(RAW[name]))
    tensors = species.tensors(parameters, batch_size)
    assert species.output_shape(parameters, batch_size) == tensors["output"]
    assert species.bytes_moved(parameters, batch_size) == 4 * sum(math.prod(dims) for dims in tensors.values())
    assert species.bytes_moved(parameters, batch_size, dtype="int8") * 4 == species.bytes_moved(parameters, batch_size)
    assert species.flops(parameters, batch_size) == batch_size * species.flops(parameters)
    assert species.macs(parameters, batch_size) == batch_size * species.macs(parameters)
    if name in ("batchnorm", "layernorm"):
        assert species.macs(parameters) == 0
        per_channel = {"batchnorm": 4, "layernorm": 2}[name]
        assert species.parameter_count(parameters) == per_channel * tensors["bias"][0]
    elif name == "attention":
        sizes = (parameters[f"CK_ATTENTION_{size}"] for size in ("HEADS", "QUERIES", "KEYS", "DIM"))
        assert species.flops(parameters) == 2 * species.macs(parameters) == 4 * math.prod(sizes)
    elif "weights" in tensors:
        assert species.flops(parameters) == 2 * species.macs(parameters) > 0
        assert species.macs(parameters) == math.prod(species.output_shape(parameters)) * species.reduction_length(
            parameters
        )
    else:
        assert species.macs(parameters) == species.parameter_count(parameters) == 0


@given(RAW["conv"])
def test_convolutions_count_as_a_loop_would(raw: Raw) -> None:
    conv = SPECIES["conv"]
    p, _ = _accepted("conv", raw)
    rows, columns = (
        [
            start
            for start in range(0, before + size + after, stride)
            if start + (kernel - 1) * dilation < before + size + after
        ]
        for before, size, after, stride, kernel, dilation in (
            tuple(p[key] for key in keys)
            for keys in (
                (
                    f"CK_CONV_PAD_{first}",
                    f"CK_IN_SHAPE_{axis}",
                    f"CK_CONV_PAD_{last}",
                    f"CK_CONV_STRIDE_{axis}",
                    f"CK_CONV_KERNEL_{axis}",
                    f"CK_CONV_DILATION_{axis}",
                )
                for axis, first, last in (("H", "T", "B"), ("W", "L", "R"))
            )
        )
    )
    assert conv.output_shape(p) == (1, p["CK_OUT_SHAPE_C"], len(rows), len(columns))
    filters = [
        (filter_, channel)
        for filter_, channel in itertools.product(range(p["CK_OUT_SHAPE_C"]), range(p["CK_IN_SHAPE_C"]))
        if filter_ * p["CK_CONV_GROUPS"] // p["CK_OUT_SHAPE_C"] == channel * p["CK_CONV_GROUPS"] // p["CK_IN_SHAPE_C"]
    ]
    taps = p["CK_CONV_KERNEL_H"] * p["CK_CONV_KERNEL_W"]
    assert conv.macs(p) == len(filters) * taps * len(rows) * len(columns)


# --- names: each can be read back, hence two different shapes never share one ---


def _pair(text: str, prefix: str) -> dict[str, int]:
    first, _, second = text.partition("x")
    return {f"{prefix}_H": int(first), f"{prefix}_W": int(second or first)}


def _pads(text: str, prefix: str) -> dict[str, int]:
    sides = text.split(".")
    return {f"{prefix}_PAD_{side}": int(pad) for side, pad in zip("TLBR", sides * (4 // len(sides)), strict=True)}


def _numbers(*keys: str) -> Callable[[str], dict[str, int]]:
    def read(name: str) -> dict[str, int]:
        values = re.findall(r"(?:^|(?<=-))-?\d+", name)
        return dict(zip(keys, map(int, values), strict=True))

    return read


def _read_conv(name: str) -> dict[str, int]:
    c, h, w, kernel, out, stride, pads, *rest = name.split("-")
    suffixes = {part[0]: part[1:] for part in rest}
    return {
        "CK_IN_SHAPE_C": int(c),
        "CK_IN_SHAPE_H": int(h),
        "CK_IN_SHAPE_W": int(w),
        "CK_OUT_SHAPE_C": int(out),
        **_pair(kernel, "CK_CONV_KERNEL"),
        **_pair(stride, "CK_CONV_STRIDE"),
        **_pads(pads, "CK_CONV"),
        **_pair(suffixes.get("d", "1"), "CK_CONV_DILATION"),
        "CK_CONV_GROUPS": int(suffixes.get("g", "1")),
    }


def _read_depthwise(name: str) -> dict[str, int]:
    c, h, w, stride, pads, *rest = name.split("-")
    suffixes = {part[0]: part[1:] for part in rest}
    return {
        "CK_IN_SHAPE_C": int(c),
        "CK_IN_SHAPE_H": int(h),
        "CK_IN_SHAPE_W": int(w),
        **_pair(suffixes.get("k", "3"), "CK_DEPTHWISE_KERNEL"),
        **_pair(stride, "CK_DEPTHWISE_STRIDE"),
        **_pads(pads, "CK_DEPTHWISE"),
        **_pair(suffixes.get("d", "1"), "CK_DEPTHWISE_DILATION"),
    }


def _read_pool(name: str) -> dict[str, int]:
    c, h, w, kernel, stride, *rest = name.split("-")
    suffixes = {part[0]: part[1:] for part in rest}
    return {
        "CK_IN_SHAPE_C": int(c),
        "CK_IN_SHAPE_H": int(h),
        "CK_IN_SHAPE_W": int(w),
        **_pair(kernel, "CK_POOL_KERNEL"),
        **_pair(stride, "CK_POOL_STRIDE"),
        **_pads(suffixes.get("p", "0"), "CK_POOL"),
        "CK_EXCLUDE_PADDING": int("x" in suffixes),
    }


def _read_concat(name: str) -> dict[str, int]:
    channels, height, width = name.split("-")
    first, *more = map(int, channels.split("."))
    return {
        "CK_IN_SHAPE_C": first,
        "CK_IN_SHAPE_H": int(height),
        "CK_IN_SHAPE_W": int(width),
        **{f"CK_CONCAT_C{number}": count for number, count in enumerate([*more, 0, 0][:3], start=1)},
    }


def _lettered(*keys: str, **suffixes: tuple[str, int]) -> Callable[[str], dict[str, int]]:
    """Numbers, then numbers that a letter precedes: the letter's key and what its absence means."""

    def read(name: str) -> dict[str, int]:
        parts = name.split("-")
        found = {part[0]: int(part[1:] or 1) for part in parts if part[0].isalpha()}
        plain = [int(part) for part in parts if not part[0].isalpha()]
        lettered = {key: found.get(letter, default) for letter, (key, default) in suffixes.items()}
        return dict(zip(keys, plain, strict=True)) | lettered

    return read


_CHW = tuple(f"CK_IN_SHAPE_{axis}" for axis in "CHW")
_CHW_CHW = (*_CHW, *(f"CK_OUT_SHAPE_{axis}" for axis in "CHW"))
READ = {
    "conv": _read_conv,
    "depthwiseconv": _read_depthwise,
    "fullyconnected": _numbers(*_CHW_CHW),
    "gemm": _numbers("CK_GEMM_K", "CK_GEMM_M", "CK_GEMM_N", "CK_GEMM_ALPHA", "CK_GEMM_BETA"),
    "avgpool": _read_pool,
    "maxpool": lambda name: {key: value for key, value in _read_pool(name).items() if key != "CK_EXCLUDE_PADDING"},
    "softmax": _numbers(*_CHW),
    "reorder": _numbers(*_CHW),
    "reshape": _numbers(*_CHW_CHW),
    "add": _numbers(*_CHW),
    "concat": _read_concat,
    "relu": _numbers(*_CHW),
    "lrn": _lettered(
        *_CHW,
        "CK_LRN_SIZE",
        a=("CK_LRN_ALPHA_PPM", 100),
        b=("CK_LRN_BETA_PERCENT", 75),
        k=("CK_LRN_K", 1),
    ),
    "batchnorm": _lettered(*_CHW, e=("CK_BATCHNORM_EPSILON_PPM", 10)),
    "flatten": _numbers(*_CHW),
    "layernorm": _lettered("CK_LAYERNORM_M", "CK_LAYERNORM_N", e=("CK_LAYERNORM_EPSILON_PPM", 10)),
    "attention": _lettered(
        *(f"CK_ATTENTION_{name}" for name in ("HEADS", "QUERIES", "KEYS", "DIM")), c=("CK_ATTENTION_CAUSAL", 0)
    ),
    "resizebilinear": _lettered(*_CHW_CHW, h=("CK_HALF_PIXEL_CENTERS", 0)),
}


@every_species
@given(data=st.data())
def test_a_name_says_all_parameters(name: str, data: st.DataObject) -> None:
    parameters, _ = _accepted(name, data.draw(RAW[name]))
    assert READ[name](SPECIES[name].shape_name(parameters)) == parameters


# --- the original's names and the study's figures ---


def _conv(c: int, h: int, w: int, k: int, out: int, stride: int, pad: int) -> dict[str, int]:
    raw = {"CK_IN_SHAPE_C": c, "CK_IN_SHAPE_H": h, "CK_IN_SHAPE_W": w, "CK_OUT_SHAPE_C": out}
    return SPECIES["conv"].normalise({**raw, "CK_CONV_KERNEL": k, "CK_CONV_STRIDE": stride, "CK_CONV_PAD": pad})[0]


def test_names_are_the_originals() -> None:
    conv = SPECIES["conv"]
    first = _conv(3, 224, 224, 3, 32, 2, 0)
    assert conv.shape_name(first) == "3-224-224-3-32-2-0"
    assert conv.output_shape(first) == (1, 32, 111, 111)
    true = {**first, "CK_CONV_PAD_B": 1, "CK_CONV_PAD_R": 1}
    assert conv.shape_name(true) == "3-224-224-3-32-2-0.0.1.1"
    assert conv.output_shape(true) == (1, 32, 112, 112)
    depthwise = SPECIES["depthwiseconv"]
    parameters, _ = depthwise.normalise(
        {
            "CK_IN_SHAPE_C": 512,
            "CK_IN_SHAPE_H": 12,
            "CK_IN_SHAPE_W": 12,
            "CK_DEPTHWISE_STRIDE": 1,
            "CK_DEPTHWISE_PAD": 1,
        }
    )
    assert depthwise.shape_name(parameters) == "512-12-12-1-1"
    gemm = SPECIES["gemm"]
    parameters, _ = gemm.normalise(
        {"CK_GEMM_ALPHA": 1.0, "CK_GEMM_BETA": 0.0, "CK_GEMM_K": 2, "CK_GEMM_M": 3, "CK_GEMM_N": 4}
    )
    assert gemm.shape_name(parameters) == "2-3-4-1-0"


def test_study_flops_take_the_stride_for_the_output_size() -> None:
    conv = SPECIES["conv"]
    first = _conv(3, 224, 224, 3, 32, 2, 0)
    assert conv.study_flops(first) == pytest.approx(0.021676032e9)
    assert conv.flops(first) == 2 * 32 * 111 * 111 * 27
    assert conv.study_flops(first, 4) == 4 * conv.study_flops(first)
    full, _ = SPECIES["fullyconnected"].normalise({"CK_IN_SHAPE_C": 1024, "CK_OUT_SHAPE_C": 1001})
    assert SPECIES["fullyconnected"].study_flops(full) == 2 * 1024 * 1001
    soft, _ = SPECIES["softmax"].normalise({"CK_IN_SHAPE_C": 10})
    assert SPECIES["softmax"].study_flops(soft) == 0


def test_the_originals_padding_scheme_becomes_pads() -> None:
    pool = SPECIES["avgpool"]
    raw = {"CK_IN_SHAPE_C": 8, "CK_IN_SHAPE_H": 112, "CK_IN_SHAPE_W": 7, "CK_POOL_KERNEL": 3, "CK_POOL_STRIDE": 2}
    same, _ = pool.normalise({**raw, "CK_POOL_PAD_SCHEME": 1})
    assert pool.shape_name(same) == "8-112-7-3-2-p0.1.1.1"
    assert pool.output_shape(same) == (1, 8, 56, 4)
    valid, _ = pool.normalise({**raw, "CK_POOL_PAD": 0, "CK_POOL_PAD_SCHEME": 2})
    assert pool.shape_name(valid) == "8-112-7-3-2"
    with pytest.raises(UsageError) as error:
        pool.normalise({**raw, "CK_POOL_PAD_SCHEME": 3})
    assert str(error.value) == (
        "shape of avgpool: CK_POOL_PAD_SCHEME is 3; expected 1 (SAME) or 2 (VALID); correct the shape"
    )


# --- nonsense ---

CONV_RAW = {"CK_IN_SHAPE_C": 2, "CK_IN_SHAPE_H": 3, "CK_IN_SHAPE_W": 3, "CK_OUT_SHAPE_C": 2, "CK_CONV_KERNEL": 1}
IMAGE_RAW = {"CK_IN_SHAPE_C": 2, "CK_IN_SHAPE_H": 3, "CK_IN_SHAPE_W": 3}
ATTENTION_RAW = {
    f"CK_ATTENTION_{name}": size for name, size in zip(("HEADS", "QUERIES", "KEYS", "DIM"), (1, 3, 2, 4), strict=True)
}
POOL_RAW = {"CK_IN_SHAPE_C": 2, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_POOL_KERNEL": 3}


@pytest.mark.parametrize(
    ("species", "raw", "message"),
    [
        (
            "conv",
            {**CONV_RAW, "CK_CONV_KERNEL": 7},
            "the kernel is 7x7, the padded input 3x3; expected a kernel that fits into the padded input; "
            "correct the kernel, the padding or the input",
        ),
        (
            "conv",
            {**CONV_RAW, "CK_CONV_KERNEL": 2, "CK_CONV_DILATION": 3},
            "the kernel is 4x4 (dilation included), the padded input 3x3; expected a kernel that fits into the padded "
            "input; correct the kernel, the padding or the input",
        ),
        ("conv", {**CONV_RAW, "CK_CONV_STRIDE": 0}, "CK_CONV_STRIDE_H is 0; expected at least 1; correct the shape"),
        ("conv", {**CONV_RAW, "CK_CONV_PAD": -1}, "CK_CONV_PAD_T is -1; expected at least 0; correct the shape"),
        ("conv", {**CONV_RAW, "CK_IN_SHAPE_N": 0}, "CK_IN_SHAPE_N is 0; expected at least 1; correct the shape"),
        (
            "conv",
            {**CONV_RAW, "CK_CONV_GROUPS": 3},
            "CK_CONV_GROUPS is 3 and CK_IN_SHAPE_C 2; expected groups that divide the channels; correct one of them",
        ),
        (
            "conv",
            {key: value for key, value in CONV_RAW.items() if key != "CK_CONV_KERNEL"},
            "CK_CONV_KERNEL is missing; expected a whole number; add it to the shape",
        ),
        (
            "conv",
            {**CONV_RAW, "CK_IN_SHAPE_H": 65536, "CK_IN_SHAPE_W": 65536},
            "the input tensor 1x2x65536x65536 has 8589934592 elements; expected at most 2147483647; "
            "choose a smaller shape or batch size",
        ),
        (
            "softmax",
            {"CK_IN_SHAPE_C": 1000, "CK_IN_SHAPE_N": 2**30},
            "the input tensor 1073741824x1000x1x1 has 1073741824000 elements; expected at most 2147483647; "
            "choose a smaller shape or batch size",
        ),
        (
            "softmax",
            {"CK_IN_SHAPE_CC": 1000},
            "CK_IN_SHAPE_CC is not a parameter of this species; expected one of CK_IN_SHAPE_N, CK_IN_SHAPE_C, "
            "CK_IN_SHAPE_H, CK_IN_SHAPE_W; did you mean CK_IN_SHAPE_C?",
        ),
        (
            "softmax",
            {"colour": 1},
            "colour is not a parameter of this species; expected one of CK_IN_SHAPE_N, CK_IN_SHAPE_C, "
            "CK_IN_SHAPE_H, CK_IN_SHAPE_W; remove it from the shape",
        ),
        (
            "maxpool",
            {**POOL_RAW, "CK_POOL_PAD": 3},
            "CK_POOL_PAD_T is 3 and the kernel 3; expected padding smaller than the kernel, "
            "else a window sees padding only; correct one of them",
        ),
        (
            "avgpool",
            {**POOL_RAW, "CK_EXCLUDE_PADDING": 2},
            "CK_EXCLUDE_PADDING is 2; expected 0 (the divisor is the kernel's size) or 1 (the divisor counts real "
            "elements only); correct the shape",
        ),
        (
            "reshape",
            {"CK_IN_SHAPE_C": 6, "CK_OUT_SHAPE_C": 5},
            "the input has 6 elements and the output 5; expected equal numbers; correct one of them",
        ),
        (
            "concat",
            {**IMAGE_RAW, "CK_CONCAT_C1": 4, "CK_CONCAT_C3": 4},
            "CK_CONCAT_C3 is 4 and CK_CONCAT_C2 0; expected inputs without a gap; correct one of them",
        ),
        ("concat", IMAGE_RAW, "CK_CONCAT_C1 is missing; expected a whole number; add it to the shape"),
        (
            "lrn",
            {**IMAGE_RAW, "CK_LRN_SIZE": 4},
            "CK_LRN_SIZE is 4; expected an odd number, as many neighbours on both sides; correct the shape",
        ),
        (
            "resizebilinear",
            {**IMAGE_RAW, "CK_OUT_SHAPE_C": 3, "CK_OUT_SHAPE_H": 9, "CK_OUT_SHAPE_W": 9},
            "CK_IN_SHAPE_C is 2 and CK_OUT_SHAPE_C 3; expected equal, as only height and width are resized; "
            "correct one of them",
        ),
        (
            "resizebilinear",
            {**IMAGE_RAW, "CK_OUT_SHAPE_H": 9, "CK_OUT_SHAPE_W": 9, "CK_HALF_PIXEL_CENTERS": 2},
            "CK_HALF_PIXEL_CENTERS is 2; expected 0 (corners of pixels coincide at the top left) or 1 (centres of "
            "pixels are halves); correct the shape",
        ),
        (
            "layernorm",
            {"CK_LAYERNORM_M": 3, "CK_LAYERNORM_N": 1},
            "CK_LAYERNORM_N is 1; expected at least 2, as one number has no variance; correct the shape",
        ),
        (
            "attention",
            {**ATTENTION_RAW, "CK_ATTENTION_CAUSAL": 1},
            "CK_ATTENTION_QUERIES is 3 and CK_ATTENTION_KEYS 2; expected at least as many keys, else the first queries "
            "see none; correct one of them",
        ),
        (
            "attention",
            {**ATTENTION_RAW, "CK_ATTENTION_CAUSAL": 2},
            "CK_ATTENTION_CAUSAL is 2; expected 0 (every query sees all keys) or 1 (none sees a key after its own "
            "position); correct the shape",
        ),
    ],
)
def test_nonsense_is_refused_in_one_line(species: str, raw: Raw, message: str) -> None:
    with pytest.raises(UsageError) as error:
        SPECIES[species].normalise(raw, where="shape-x.json")
    assert str(error.value) == f"shape-x.json: {message}"


def test_an_unknown_species_is_refused_with_the_known_ones() -> None:
    assert find_species("conv") is SPECIES["conv"]
    with pytest.raises(UsageError) as error:
        find_species("convolve", where="network.json")
    assert str(error.value) == (
        "network.json: 'convolve' is no species; expected one of conv, depthwiseconv, fullyconnected, gemm, avgpool, "
        "maxpool, softmax, reorder, reshape, add, concat, relu, lrn, batchnorm, flatten, resizebilinear, "
        "layernorm, attention; correct the name"
    )
