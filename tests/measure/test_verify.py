"""What the comparison lets pass and what it finds: honest kernels, reduced precision, single wrong elements."""

import dataclasses
import math
import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from nntest.errors import UsageError
from nntest.measure.inputs import case_inputs
from nntest.measure.reference import Reference, expected, reference_id
from nntest.measure.verify import EXACT_SPECIES, TOLERANCE, algorithm_in_force, error_limit, verify
from nntest.model.case import Case
from nntest.model.species import SPECIES
from nntest.model.zoo.synthetic import SYNTHETIC

F32 = npt.NDArray[np.float32]
VGG_CLASSIFIER = {"CK_IN_SHAPE_C": 512, "CK_IN_SHAPE_H": 7, "CK_IN_SHAPE_W": 7, "CK_OUT_SHAPE_C": 64}


def _case(species: str, raw: Any, **options: Any) -> Case:
    parameters, _ = SPECIES[species].normalise(raw)
    return Case(program=f"{species}-x", species=species, parameters=parameters, **options)


def _image(channels: int, height: int, width: int) -> dict[str, int]:
    return {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width}


def _reference(case: Case) -> Reference:
    return Reference(expected(case), reference_id(case))


def _fullyconnected(case: Case) -> tuple[F32, F32, F32]:
    """Products' operands of each output and the bias: (K, outputs), (K, outputs), (outputs,)."""
    tensors = case_inputs(case)
    weights = tensors["weights"].reshape(tensors["weights"].shape[0], -1).T
    return np.broadcast_to(tensors["input"].reshape(-1, 1), weights.shape), weights, tensors["bias"]


def _summed_in_order(products: F32) -> F32:
    """One float32 accumulator per output, as the plainest loop does."""
    total = np.zeros(products.shape[1], dtype=np.float32)
    for row in products:
        total += row
    return total


def _summed_in_blocks(products: F32, size: int = 16) -> F32:
    """Several accumulators that are added at the end, as vectorised kernels do."""
    rest = -len(products) % size
    padded = np.concatenate([products, np.zeros((rest, products.shape[1]), dtype=np.float32)])
    lanes = np.zeros((size, products.shape[1]), dtype=np.float32)
    for block in padded.reshape(-1, size, products.shape[1]):
        lanes += block
    return _summed_in_order(lanes)


def _bfloat16(values: npt.NDArray[Any]) -> F32:
    """Round to nearest even with 8 significant bits."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).astype(np.uint64)
    bits += 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))
    return (bits & np.uint64(0xFFFF0000)).astype(np.uint32).view(np.float32)


def _half(values: npt.NDArray[Any]) -> F32:
    return values.astype(np.float16).astype(np.float32)


@pytest.mark.parametrize("outputs", [1, 64])
@pytest.mark.parametrize("inputs", [1, 9, 27, 576, 4608, 25088])
@pytest.mark.parametrize("data", ["normal", "relu", "int"])
def test_honest_float32_kernels_pass(inputs: int, outputs: int, data: Any) -> None:
    case = _case("fullyconnected", {"CK_IN_SHAPE_C": inputs, "CK_OUT_SHAPE_C": outputs}, data=data)
    x, w, bias = _fullyconnected(case)
    reference = _reference(case)
    for summed in (_summed_in_order, _summed_in_blocks):
        result = verify(case, summed(x * w) + bias, reference, "direct")
        assert result.verified is True, result
        assert result.max_error is not None
        assert result.max_error < 0.5 * TOLERANCE["direct"]
        assert result.reference == reference.name
        assert result.reason == ""


@pytest.mark.parametrize("rounded", [_bfloat16, _half])
@pytest.mark.parametrize("data", ["normal", "relu"])
def test_reduced_precision_that_claims_float32_is_found(rounded: Any, data: Any) -> None:
    for raw in (VGG_CLASSIFIER, {"CK_IN_SHAPE_C": 1024, "CK_OUT_SHAPE_C": 1001}):
        case = _case("fullyconnected", raw, data=data)
        x, w, bias = _fullyconnected(case)
        output = (rounded(x).astype(np.float64) * rounded(w)).sum(axis=0) + bias
        result = verify(case, output.astype(np.float32), _reference(case), "gemm")
        assert result.verified is False
        assert result.max_error is not None
        assert result.max_error > 5 * TOLERANCE["gemm"]


@pytest.mark.parametrize("species", [name for name in SYNTHETIC if name not in EXACT_SPECIES])
def test_outputs_rounded_to_bfloat16_are_found_in_every_species(species: str) -> None:
    for edge in SYNTHETIC[species]:
        case = _case(species, edge.values)
        reference = _reference(case)
        algorithm = {"avgpool": "pool", "softmax": "softmax"}.get(species, "direct")
        assert verify(case, reference.values.astype(np.float32), reference, algorithm).verified is True
        if (reference.values == _bfloat16(reference.values)).all():
            continue  # a single class: its probability 1 has no digits to lose
        assert verify(case, _bfloat16(reference.values), reference, algorithm).verified is False, edge.reason


@pytest.mark.parametrize("size", [1, 2047, 2048, 2049, 32768, 32769, 70001])
@pytest.mark.parametrize("wrong", [0, 3])
def test_the_largest_error_and_the_number_of_wrong_values_are_those_of_a_plain_division(size: int, wrong: int) -> None:
    case = _case("relu", {"CK_IN_SHAPE_C": size, "CK_IN_SHAPE_H": 1, "CK_IN_SHAPE_W": 1})
    case = dataclasses.replace(case, species="add")
    random = np.random.default_rng(size + wrong)
    wanted = random.normal(size=(1, size, 1, 1))
    output = (wanted * (1 + random.normal(size=wanted.shape) * 1e-7)).astype(np.float32)
    output.flat[random.choice(size, min(wrong, size), replace=False)] += 1
    unit = 2.0**-23 * math.sqrt(SPECIES["add"].reduction_length(case.parameters))
    floor = np.sqrt(np.mean(wanted**2))
    errors = np.abs(output.astype(np.float64) - wanted) / (unit * np.maximum(np.abs(wanted), floor))
    found = verify(case, output, Reference(wanted, "made up"), "direct")
    assert found.max_error == pytest.approx(errors.max())
    assert found.verified is bool(errors.max() <= 4)
    if not found.verified:
        assert f"; {np.count_nonzero(errors > 4)} of {size} values are wrong" in found.reason


def test_a_single_wrong_element_is_found() -> None:
    case = _case("fullyconnected", VGG_CLASSIFIER)
    x, w, bias = _fullyconnected(case)
    products = x * w
    good = _summed_in_blocks(products) + bias
    reference = _reference(case)
    swapped = good.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    assert verify(case, swapped, reference, "direct").verified is False
    # A tail that is left out: one product of 25,088 is missing in one of 64 outputs.
    tail = good.copy()
    tail[17] -= products[-1, 17]
    result = verify(case, tail, reference, "direct")
    assert result.verified is False
    assert "1 of 64 values are wrong" in result.reason


def test_a_wrong_element_is_found_in_a_million() -> None:
    raw = {"CK_IN_SHAPE_C": 16, "CK_IN_SHAPE_H": 256, "CK_IN_SHAPE_W": 256, "CK_POOL_KERNEL": 3, "CK_POOL_PAD": 1}
    case = _case("avgpool", raw)
    reference = _reference(case)
    output = reference.values.astype(np.float32)
    assert output.size == 2**20
    assert verify(case, output, reference, "pool").verified is True
    output[0, 15, 255, 254] += np.float32(1e-5)
    result = verify(case, output, reference, "pool")
    assert result.verified is False
    assert result.reason.startswith("output[0, 15, 255, 254] is ")
    assert result.reason.endswith("1 of 1048576 values are wrong")


def _winograd(image: F32, weights: F32) -> F32:
    """F(4x4, 3x3) in float32: image (C, H, W) with H - 2 and W - 2 multiples of 4, weights (O, C, 3, 3)."""
    b = np.array(
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        dtype=np.float32,
    )
    g = np.array(
        [
            [1 / 4, 0, 0],
            [-1 / 6] * 3,
            [-1 / 6, 1 / 6, -1 / 6],
            [1 / 24, 1 / 12, 1 / 6],
            [1 / 24, -1 / 12, 1 / 6],
            [0, 0, 1],
        ],
        dtype=np.float32,
    )
    a = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], dtype=np.float32)
    filters = g @ weights @ g.T
    height, width = image.shape[1] - 2, image.shape[2] - 2
    output = np.empty((len(weights), height, width), dtype=np.float32)
    for y in range(0, height, 4):
        for x in range(0, width, 4):
            tile = b @ image[:, y : y + 6, x : x + 6] @ b.T
            product = np.zeros((len(weights), 6, 6), dtype=np.float32)
            for channel in range(image.shape[0]):
                product += filters[:, channel] * tile[channel]
            output[:, y : y + 4, x : x + 4] = a @ product @ a.T
    return output


@pytest.mark.parametrize("channels", [3, 64, 512])
def test_winograd_has_its_own_limit(channels: int) -> None:
    raw = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": 22, "CK_IN_SHAPE_W": 22, "CK_OUT_SHAPE_C": 16}
    case = _case("conv", {**raw, "CK_CONV_KERNEL": 3})
    tensors, reference = case_inputs(case), _reference(case)
    bias = tensors["bias"][:, None, None]
    honest = _winograd(tensors["input"][0], tensors["weights"]) + bias
    result = verify(case, honest[None], reference, "winograd")
    assert result.verified is True
    assert result.max_error is not None
    assert result.max_error < 0.5 * TOLERANCE["winograd"]
    rounded = _winograd(_bfloat16(tensors["input"][0]), _bfloat16(tensors["weights"])) + bias
    assert verify(case, rounded[None], reference, "winograd").verified is False


@pytest.mark.parametrize("species", ["maxpool", "reorder", "concat", "relu", "flatten"])
def test_what_only_moves_values_must_be_equal(species: str) -> None:
    case = _case(species, SYNTHETIC[species][2].values)
    reference = _reference(case)
    output = reference.values.astype(np.float32)
    result = verify(case, output, reference, "pool")
    assert (result.verified, result.max_error, result.limit) == (True, 0.0, 0.0)
    output.reshape(-1)[5] = np.nextafter(output.reshape(-1)[5], np.float32(2))
    assert verify(case, output, reference, "pool").verified is False


def test_softmax_in_float32_passes() -> None:
    for raw in ({"CK_IN_SHAPE_C": 1001}, {"CK_IN_SHAPE_C": 50257}, SYNTHETIC["softmax"][3].values):
        case = _case("softmax", raw)
        x = case_inputs(case)["input"]
        exponentials = np.exp(x - x.max(axis=1, keepdims=True))
        total = np.zeros_like(exponentials[:, :1])
        for channel in range(x.shape[1]):
            total[:, 0] += exponentials[:, channel]
        result = verify(case, exponentials * (np.float32(1) / total), _reference(case), "softmax")
        assert result.verified is True, result
        assert result.max_error is not None
        assert result.max_error < 0.5 * TOLERANCE["softmax"]


def _resized_in_float32(case: Case, *, centers: bool) -> F32:
    """Positions, shares and products in float32, as the libraries compute them: first the ratio, then the position."""
    values = case_inputs(case)["input"]
    for axis in (2, 3):
        size, wanted = values.shape[axis], case.parameters[f"CK_OUT_SHAPE_{'HW'[axis - 2]}"]
        shift = np.float32(0.5 if centers else 0.0)
        positions = (np.arange(wanted, dtype=np.float32) + shift) * (np.float32(size) / np.float32(wanted)) - shift
        positions = np.clip(positions, np.float32(0), np.float32(size - 1))
        before = positions.astype(np.int64)
        share = (positions - before).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(4)])
        after = np.minimum(before + 1, size - 1)
        values = values.take(before, axis) * (np.float32(1) - share) + values.take(after, axis) * share
    return values


@pytest.mark.parametrize("centers", [False, True])
def test_a_resize_in_float32_passes_and_the_other_placement_fails(centers: bool) -> None:
    sizes = [(7, 9, 15, 4), (56, 56, 224, 224), (513, 300, 129, 999), (1080, 1920, 640, 640)]
    for height, width, out_height, out_width in sizes:
        raw = {"CK_IN_SHAPE_C": 1, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width}
        raw |= {"CK_OUT_SHAPE_H": out_height, "CK_OUT_SHAPE_W": out_width, "CK_HALF_PIXEL_CENTERS": int(centers)}
        case = _case("resizebilinear", raw)
        reference = _reference(case)
        result = verify(case, _resized_in_float32(case, centers=centers), reference, "direct")
        assert result.verified is True, result
        assert result.max_error is not None
        assert result.max_error < 0.5 * TOLERANCE["direct"]
        other = verify(case, _resized_in_float32(case, centers=not centers), reference, "direct")
        assert other.verified is False


def _normalised_in_float32(case: Case) -> F32:
    x, p = case_inputs(case)["input"], case.parameters
    alpha = np.float32(p["CK_LRN_ALPHA_PPM"] / 1e6 / p["CK_LRN_SIZE"])
    padded = np.pad(x * x, ((0, 0), (p["CK_LRN_SIZE"] // 2,) * 2, (0, 0), (0, 0)))
    total = np.zeros_like(x)
    for shift in range(p["CK_LRN_SIZE"]):
        total += padded[:, shift : shift + x.shape[1]]
    return x * (np.float32(p["CK_LRN_K"]) + alpha * total) ** np.float32(-p["CK_LRN_BETA_PERCENT"] / 100)


def test_lrn_in_float32_passes_and_its_omission_fails() -> None:
    image = {"CK_IN_SHAPE_C": 96, "CK_IN_SHAPE_H": 55, "CK_IN_SHAPE_W": 55}
    for raw in (image, *(edge.values for edge in SYNTHETIC["lrn"])):
        case = _case("lrn", raw)
        reference = _reference(case)
        result = verify(case, _normalised_in_float32(case), reference, "direct")
        assert result.verified is True, result
        # With the default alpha of 1e-4 the result is hardly smaller than the input: the limit must see it still.
        assert verify(case, case_inputs(case)["input"], reference, "direct").verified is False


def test_batchnorm_in_float32_passes_and_a_forgotten_epsilon_fails() -> None:
    for raw in (*(edge.values for edge in SYNTHETIC["batchnorm"]), {**_image(512, 14, 14)}):
        case = _case("batchnorm", raw)
        t, reference = case_inputs(case), _reference(case)
        scale, mean, spread = t["weights"]
        for epsilon in (case.parameters["CK_BATCHNORM_EPSILON_PPM"] / 1e6, 0.0):
            factor = scale / np.sqrt(np.float32(0.5) + spread * spread + np.float32(epsilon))
            shift = t["bias"] - mean * factor
            output = t["input"] * factor[:, None, None] + shift[:, None, None]
            result = verify(case, output, reference, "direct")
            assert result.verified is (epsilon > 0), result


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (197, 768), (3, 4096)])
def test_layernorm_in_float32_passes_and_a_sample_variance_fails(rows: int, columns: int) -> None:
    case = _case("layernorm", {"CK_LAYERNORM_M": rows, "CK_LAYERNORM_N": columns})
    t, reference = case_inputs(case), _reference(case)
    mean = (_summed_in_order(t["input"].T) / np.float32(columns))[:, None]
    # The fast form: the mean of the squares less the square of the mean.
    square = (_summed_in_order((t["input"] ** 2).T) / np.float32(columns))[:, None]
    for factor, good in ((1.0, True), (columns / (columns - 1), False)):
        deviation = np.sqrt((square - mean * mean) * np.float32(factor) + np.float32(1e-5))
        output = (t["input"] - mean) / deviation * t["weights"] + t["bias"]
        result = verify(case, output, reference, "direct")
        assert result.verified is good, result


@pytest.mark.parametrize("causal", [0, 1])
def test_attention_in_float32_passes_and_a_forgotten_scale_or_mask_fails(causal: int) -> None:
    sizes = {"HEADS": 2, "QUERIES": 128, "KEYS": 197, "DIM": 64, "CAUSAL": causal}
    case = _case("attention", {f"CK_ATTENTION_{name}": size for name, size in sizes.items()})
    t, reference = case_inputs(case), _reference(case)
    scores = np.einsum("nhqd,nhkd->nhqk", t["input"], t["input1"])
    mask = np.triu(np.full((128, 197), -np.inf, dtype=np.float32), 197 - 128 + 1)

    def attend(scale: float, *, masked: bool) -> F32:
        found = scores * np.float32(scale) + (mask if masked else np.float32(0))
        shares = np.exp(found - found.max(axis=3, keepdims=True))
        shares /= shares.sum(axis=3, keepdims=True)
        return np.einsum("nhqk,nhkd->nhqd", shares, t["input2"])

    assert verify(case, attend(0.125, masked=bool(causal)), reference, "direct").verified is True
    assert verify(case, attend(1.0, masked=bool(causal)), reference, "direct").verified is False
    assert verify(case, attend(0.125, masked=not causal), reference, "direct").verified is False


def test_a_sum_in_float32_passes() -> None:
    case = _case("add", _image(64, 28, 28))
    t, reference = case_inputs(case), _reference(case)
    assert verify(case, t["input"] + t["input1"], reference, "direct").verified is True
    assert verify(case, t["input"] + t["input"], reference, "direct").verified is False


def test_results_expected_to_be_zero() -> None:
    case = _case("maxpool", SYNTHETIC["maxpool"][1].values, data="zeros")
    reference = _reference(case)
    output = reference.values.astype(np.float32)
    assert verify(case, output, reference, "pool").verified is True
    output[0, 0, 0, 0] = 1e-40  # denormal: the processor may or may not flush it
    assert verify(case, output, reference, "pool").verified is True
    output[0, 0, 0, 0] = 1e-30
    assert verify(case, output, reference, "pool").verified is False


def _small() -> tuple[Case, Reference, F32]:
    case = _case("softmax", {"CK_IN_SHAPE_C": 2, "CK_IN_SHAPE_H": 1, "CK_IN_SHAPE_W": 2})
    reference = Reference(np.array([[[[0.25, 0.5]], [[0.75, 0.5]]]]), "0123456789abcdef")
    return case, reference, reference.values.astype(np.float32)


def test_reasons_name_place_value_and_limit() -> None:
    case, reference, output = _small()
    output[0, 1, 0, 0] = 0.8125
    result = verify(case, output, reference, "softmax")
    assert result.verified is False
    assert result.reason == (
        "output[0, 1, 0, 0] is 0.8125; expected 0.75; error 4.94e+05, limit 8 (units of eps * sqrt(K) * scale); "
        "1 of 4 values are wrong"
    )
    assert result.max_error == pytest.approx(0.0625 / (2**-23 * 2**0.5 * 0.75))
    assert verify(case, output.reshape(-1), reference, "softmax") == result


@pytest.mark.parametrize(("value", "text"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_values_that_are_not_finite(value: float, text: str) -> None:
    case, reference, output = _small()
    output[0, 0, 0, 1] = output[0, 1, 0, 1] = value
    result = verify(case, output, reference, "softmax")
    assert (result.verified, result.max_error) == (False, None)
    assert result.reason == f"output[0, 0, 0, 1] is {text}; expected 0.5; 2 of 4 values are not finite"


def test_an_output_of_another_shape() -> None:
    case, reference, output = _small()
    result = verify(case, output[:, :1], reference, "softmax")
    assert (result.verified, result.max_error) == (False, None)
    assert result.reason == "output has the shape 1x1x1x2; expected 1x2x1x2"
    assert verify(case, output.reshape(2, 2), reference, "softmax").reason == (
        "output has the shape 2x2; expected 1x2x1x2"
    )


def test_algorithms() -> None:
    case, _, _ = _small()
    assert error_limit(case, "softmax") == 8
    with pytest.raises(UsageError) as error:
        error_limit(case, "fast")
    assert str(error.value) == (
        "softmax-x: algorithm 'fast' has no tolerance; expected one of auto, direct, gemm, pool, softmax, winograd, "
        "copy; correct it"
    )
    assert algorithm_in_force("auto", "jit_wino_4x3:avx512_core") == "winograd"
    assert algorithm_in_force("auto", "jit:avx512_core") == "auto"
    assert algorithm_in_force("direct", "wino") == "direct"


def test_comparing_wakes_no_pool_of_threads() -> None:
    # Woken threads spin beside the measurement that follows: what other threads burn here must stay nothing.
    script = (
        "import glob, os, time\n"
        "import numpy as np\n"
        "from nntest.measure.reference import Reference\n"
        "from nntest.measure.verify import verify\n"
        "from nntest.model.case import Case\n"
        "from nntest.model.species import SPECIES\n"
        "def burnt_ns():\n"
        "    tasks = set(map(int, os.listdir('/proc/self/task'))) - {os.getpid()}\n"
        "    return sum(int(open(f'/proc/self/task/{task}/schedstat').read().split()[0]) for task in tasks)\n"
        "parameters, batch = SPECIES['softmax'].normalise("
        "{'CK_IN_SHAPE_C': 100000, 'CK_IN_SHAPE_H': 1, 'CK_IN_SHAPE_W': 1})\n"
        "case = Case(program='softmax-x', species='softmax', parameters=parameters, batch_size=batch)\n"
        "expected = np.ones((1, 100000, 1, 1))\n"
        "while (before := burnt_ns()) != (time.sleep(0.02), burnt_ns())[1]: pass\n"
        "assert verify(case, expected.astype(np.float32), Reference(expected, 'x'), 'softmax').verified\n"
        "time.sleep(0.02)\n"
        "assert burnt_ns() - before < 5_000_000, burnt_ns() - before\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
