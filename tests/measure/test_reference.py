"""The reference against loops that follow the definitions word by word, and against scipy."""

import itertools
import math
import resource
import signal as signals
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import signal

from nntest.errors import DataError, UsageError
from nntest.measure import reference as reference_module
from nntest.measure.inputs import case_inputs
from nntest.measure.reference import REFERENCE_VERSION, Reference, ReferenceCache, expected, reference_id
from nntest.model.case import Case
from nntest.model.species import SPECIES
from nntest.model.zoo.synthetic import SYNTHETIC

Array = npt.NDArray[np.float64]


def _case(species: str, raw: Any, **options: Any) -> Case:
    parameters, _ = SPECIES[species].normalise(raw)
    return Case(program=f"{species}-x", species=species, parameters=parameters, **options)


def _edge_cases() -> list[Any]:
    return [
        pytest.param(species, edge.values, id=f"{species}-{number}")
        for species, edges in SYNTHETIC.items()
        for number, edge in enumerate(edges)
    ]


def _visible(case: Case, prefix: str, y: int, x: int) -> list[tuple[int, int, int, int]]:
    """Taps of the window at output (y, x) that see the image: (kernel row, kernel column, row, column)."""
    p = case.parameters
    found = []
    for i, j in itertools.product(range(p[f"{prefix}_KERNEL_H"]), range(p[f"{prefix}_KERNEL_W"])):
        row = y * p[f"{prefix}_STRIDE_H"] + i * p.get(f"{prefix}_DILATION_H", 1) - p[f"{prefix}_PAD_T"]
        column = x * p[f"{prefix}_STRIDE_W"] + j * p.get(f"{prefix}_DILATION_W", 1) - p[f"{prefix}_PAD_L"]
        if 0 <= row < p["CK_IN_SHAPE_H"] and 0 <= column < p["CK_IN_SHAPE_W"]:
            found.append((i, j, row, column))
    return found


def _naive_lrn(t: dict[str, Array], p: Any) -> Array:
    x, reach = t["input"], p["CK_LRN_SIZE"] // 2
    output = np.empty_like(x)
    for c in range(x.shape[1]):
        total = (x[:, max(0, c - reach) : c + reach + 1] ** 2).sum(axis=1)
        base = p["CK_LRN_K"] + p["CK_LRN_ALPHA_PPM"] * 1e-6 * total / p["CK_LRN_SIZE"]
        output[:, c] = x[:, c] / base ** (p["CK_LRN_BETA_PERCENT"] * 0.01)
    return output


def _naive_batchnorm(t: dict[str, Array], p: Any) -> Array:
    output = np.empty_like(t["input"])
    for c in range(output.shape[1]):
        scale, mean, spread = t["weights"][:, c]
        deviation = math.sqrt(0.5 + spread * spread + p["CK_BATCHNORM_EPSILON_PPM"] * 1e-6)
        output[:, c] = scale * (t["input"][:, c] - mean) / deviation + t["bias"][c]
    return output


def _naive_resize(x: Array, p: Any, shape: tuple[int, ...]) -> Array:
    """The mean of the four pixels around each position, weighted by the opposite areas."""
    output = np.empty(shape)
    height, width = x.shape[2:]
    for y, column in itertools.product(range(shape[2]), range(shape[3])):
        half = 0.5 if p["CK_HALF_PIXEL_CENTERS"] else 0.0
        row, col = (y + half) * height / shape[2] - half, (column + half) * width / shape[3] - half
        top, left = math.floor(row), math.floor(col)
        total = np.zeros(shape[:2])
        for i, j in itertools.product((top, top + 1), (left, left + 1)):
            area = (1 - abs(row - i)) * (1 - abs(col - j))
            total += area * x[:, :, min(max(i, 0), height - 1), min(max(j, 0), width - 1)]
        output[:, :, y, column] = total
    return output


def _naive_layernorm(t: dict[str, Array], p: Any) -> Array:
    rows = []
    for row in t["input"]:
        mean = math.fsum(row) / len(row)
        variance = math.fsum((value - mean) ** 2 for value in row) / len(row)
        rows.append(
            (row - mean) / math.sqrt(variance + p["CK_LAYERNORM_EPSILON_PPM"] * 1e-6) * t["weights"] + t["bias"]
        )
    return np.array(rows)


def _naive_attention(t: dict[str, Array], p: Any) -> Array:
    output = np.empty(t["input"].shape)
    for n, head, query in itertools.product(*map(range, output.shape[:3])):
        visible = p["CK_ATTENTION_KEYS"]
        if p["CK_ATTENTION_CAUSAL"]:
            visible -= p["CK_ATTENTION_QUERIES"] - 1 - query
        scores = [
            t["input"][n, head, query] @ key / p["CK_ATTENTION_DIM"] ** 0.5 for key in t["input1"][n, head, :visible]
        ]
        shares = np.exp(scores) / math.fsum(np.exp(scores))
        output[n, head, query] = sum(s * value for s, value in zip(shares, t["input2"][n, head, :visible], strict=True))
    return output


_BY_SPECIES: dict[str, Callable[[dict[str, Array], Any], Array]] = {
    "add": lambda t, _: t["input"] + t["input1"],
    "concat": lambda t, _: np.concatenate([t[role] for role in sorted(t)], axis=1),
    "relu": lambda t, _: np.where(t["input"] > 0, t["input"], 0.0),
    "lrn": _naive_lrn,
    "batchnorm": _naive_batchnorm,
    "layernorm": _naive_layernorm,
    "attention": _naive_attention,
}


def _naive(case: Case) -> Array:
    """The definitions, one output value at a time."""
    t = {role: values.astype(np.float64) for role, values in case_inputs(case).items()}
    p, species = case.parameters, SPECIES[case.species]
    output = np.zeros(species.output_shape(p, case.batch_size))
    x = t["input"]
    if case.species in ("reorder", "reshape", "flatten"):
        return x.reshape(output.shape)
    if case.species in _BY_SPECIES:
        return _BY_SPECIES[case.species](t, p)
    if case.species == "resizebilinear":
        return _naive_resize(x, p, output.shape)
    if case.species == "softmax":
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    if case.species == "gemm":
        product = np.einsum("mk,kn->mn", x, t["weights"]) * p["CK_GEMM_ALPHA"]
        return product + p["CK_GEMM_BETA"] * t["input1"] if p["CK_GEMM_BETA"] else product
    if case.species == "fullyconnected":
        return (np.einsum("nchw,ochw->no", x, t["weights"]) + t["bias"]).reshape(output.shape)
    for n, y, column in itertools.product(range(output.shape[0]), *map(range, output.shape[2:])):
        if case.species in ("avgpool", "maxpool"):
            taps = _visible(case, "CK_POOL", y, column)
            seen = np.array([x[n, :, row, col] for _, _, row, col in taps])
            count = len(taps) if p.get("CK_EXCLUDE_PADDING") else p["CK_POOL_KERNEL_H"] * p["CK_POOL_KERNEL_W"]
            output[n, :, y, column] = seen.max(axis=0) if case.species == "maxpool" else seen.sum(axis=0) / count
            continue
        depthwise = case.species == "depthwiseconv"
        taps = _visible(case, "CK_DEPTHWISE" if depthwise else "CK_CONV", y, column)
        groups = p["CK_IN_SHAPE_C"] if depthwise else p["CK_CONV_GROUPS"]
        inside, filters = p["CK_IN_SHAPE_C"] // groups, output.shape[1] // groups
        for o in range(output.shape[1]):
            begin = o // filters * inside
            terms = (t["weights"][o, :, i, j] @ x[n, begin : begin + inside, row, col] for i, j, row, col in taps)
            output[n, o, y, column] = math.fsum(terms) + t["bias"][o]
    return output


@pytest.mark.parametrize(("species", "raw"), _edge_cases())
def test_edge_shapes_follow_the_definitions(species: str, raw: Any) -> None:
    case = _case(species, raw)
    np.testing.assert_allclose(expected(case), _naive(case), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("species", list(SYNTHETIC))
@pytest.mark.parametrize("data", ["normal", "relu", "int", "zeros"])
def test_batches_and_fills(species: str, data: Any) -> None:
    case = _case(species, SYNTHETIC[species][2].values, batch_size=3, data=data, seed=5)
    np.testing.assert_allclose(expected(case), _naive(case), rtol=1e-11, atol=1e-12)


def test_a_convolution_is_scipys_correlation() -> None:
    raw = {"CK_IN_SHAPE_C": 5, "CK_IN_SHAPE_H": 20, "CK_IN_SHAPE_W": 24, "CK_OUT_SHAPE_C": 4, "CK_CONV_KERNEL": 3}
    case = _case("conv", {**raw, "CK_CONV_PAD": 1})
    tensors = {role: values.astype(np.float64) for role, values in case_inputs(case).items()}
    wanted = np.stack(
        [
            sum(
                signal.correlate2d(tensors["input"][0, channel], tensors["weights"][filter_, channel], mode="same")
                for channel in range(5)
            )
            + tensors["bias"][filter_]
            for filter_ in range(4)
        ]
    )
    np.testing.assert_allclose(expected(case)[0], wanted, rtol=1e-12, atol=1e-12)


def test_slabs_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [_case(species, edges[2].values, batch_size=2) for species, edges in SYNTHETIC.items()]
    # strides, groups and dilation too
    cases += [_case("conv", edge.values, batch_size=2) for edge in SYNTHETIC["conv"][4:15]]
    whole = [expected(case) for case in cases]
    monkeypatch.setattr(reference_module, "_SLAB", 50)
    for case, values in zip(cases, whole, strict=True):
        np.testing.assert_allclose(expected(case), values, rtol=1e-12, atol=1e-13)


def test_post_operations_run_in_order() -> None:
    raw = SYNTHETIC["conv"][2].values
    plain, case = expected(_case("conv", raw)), _case("conv", raw, post_ops="sum+relu")
    previous = case_inputs(case)["input1"]
    assert np.array_equal(expected(case), np.maximum(plain + previous, 0))
    assert np.array_equal(expected(_case("conv", raw, post_ops="relu")), np.maximum(plain, 0))
    with pytest.raises(UsageError) as error:
        expected(_case("conv", raw, post_ops="gelu"))
    assert str(error.value) == ("conv-x: post_ops has 'gelu'; expected relu and sum, joined by +; correct post_ops")


def test_every_species_has_a_reference() -> None:
    assert set(reference_module._COMPUTE) == set(SPECIES)
    with pytest.raises(UsageError, match=r"^x: no reference is known for species lstm; expected one of conv, "):
        expected(Case(program="x", species="lstm", parameters={}))


def test_a_reference_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = _case("conv", SYNTHETIC["conv"][2].values)
    first = ReferenceCache(tmp_path).expected(case)
    assert first.name == f"float64-v{REFERENCE_VERSION}:{reference_id(case)}"
    assert np.array_equal(first.values, expected(case))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{first.id}.npy"]
    monkeypatch.setattr(reference_module, "_COMPUTE", {})
    assert np.array_equal(ReferenceCache(tmp_path).expected(case).values, first.values)


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"nonsense"])
def test_a_damaged_file_is_computed_again(tmp_path: Path, damage: bytes) -> None:
    case = _case("softmax", SYNTHETIC["softmax"][2].values)
    first = ReferenceCache(tmp_path).expected(case)
    path = next(path for path in tmp_path.rglob("*.npy"))
    path.write_bytes(damage)
    assert np.array_equal(ReferenceCache(tmp_path).expected(case).values, first.values)
    assert np.array_equal(np.load(path), first.values)


def test_the_last_reference_is_kept_for_the_next_program(tmp_path: Path) -> None:
    one, other = (_case("softmax", SYNTHETIC["softmax"][index].values) for index in (1, 2))
    cache = ReferenceCache(tmp_path)
    first = cache.expected(one)
    assert cache.expected(one) is first
    assert cache.expected(other) is not first
    assert np.array_equal(cache.expected(one).values, first.values)


def test_the_root_mean_square_is_that_of_all_values() -> None:
    assert Reference(np.array([[3.0, 4.0], [0.0, 0.0]]), "made up").root_mean_square == pytest.approx(2.5)
    assert Reference(np.empty((0, 3)), "made up").root_mean_square == 0.0


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path: Path) -> None:
    # the limit of a file's size meets the same end of writing as a full disk does
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    case = _case("softmax", {"CK_IN_SHAPE_C": 10_000, "CK_IN_SHAPE_H": 1, "CK_IN_SHAPE_W": 1})
    handler = signals.signal(signals.SIGXFSZ, signals.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(DataError) as caught:
            ReferenceCache(tmp_path).expected(case)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signals.signal(signals.SIGXFSZ, handler)
    assert str(caught.value).endswith(
        ".npy: the reference could not be written (File too large); free disk space and resume"
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_question_decides_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = SYNTHETIC["conv"][2].values
    case = _case("conv", raw)
    same = Case(program="other", species="conv", parameters=case.parameters, threads=2, layout="NHWC", cache="cold_all")
    assert reference_id(same) == reference_id(case)
    others = [
        _case("conv", raw, batch_size=2),
        _case("conv", raw, seed=1),
        _case("conv", raw, data="relu"),
        _case("conv", raw, post_ops="relu"),
        _case("conv", SYNTHETIC["conv"][3].values),
    ]
    ids = {reference_id(case), *map(reference_id, others)}
    assert len(ids) == 6
    monkeypatch.setattr(reference_module, "REFERENCE_VERSION", REFERENCE_VERSION + 1)
    assert reference_id(case) not in ids


def test_a_reference_is_at_hand_once_it_was_computed(tmp_path: Path) -> None:
    case = _case("conv", SYNTHETIC["conv"][2].values)
    cache = ReferenceCache(tmp_path)
    assert not cache.is_at_hand(case)
    cache.expected(case)
    assert cache.is_at_hand(case)
    assert ReferenceCache(tmp_path).is_at_hand(case)
