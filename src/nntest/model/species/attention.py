"""Scaled dot-product attention."""

import math

from nntest.errors import UsageError
from nntest.model.shape import Field, Parameters
from nntest.model.species.entry import Species, Tensors, names

_SIZES = ("HEADS", "QUERIES", "KEYS", "DIM")


def _check(parameters: Parameters, where: str) -> None:
    causal, queries, keys = (parameters[f"CK_ATTENTION_{name}"] for name in ("CAUSAL", "QUERIES", "KEYS"))
    if causal > 1:
        raise UsageError(
            f"{where}: CK_ATTENTION_CAUSAL is {causal}; expected 0 (every query sees all keys) or 1 (none sees a key "
            "after its own position); correct the shape"
        )
    if causal and queries > keys:
        raise UsageError(
            f"{where}: CK_ATTENTION_QUERIES is {queries} and CK_ATTENTION_KEYS {keys}; expected at least as many keys, "
            "else the first queries see none; correct one of them"
        )


def _tensors(parameters: Parameters, batch_size: int) -> Tensors:
    heads, queries, keys, dim = (parameters[f"CK_ATTENTION_{name}"] for name in _SIZES)
    return {
        "input": (batch_size, heads, queries, dim),
        "input1": (batch_size, heads, keys, dim),
        "input2": (batch_size, heads, keys, dim),
        "output": (batch_size, heads, queries, dim),
    }


def _macs(parameters: Parameters, tensors: Tensors) -> int:
    """Scores and their use; those that a causal mask leaves out are counted, as libraries may compute them."""
    return 2 * math.prod(tensors["input"]) * parameters["CK_ATTENTION_KEYS"]


def _name(parameters: Parameters) -> str:
    parts = names(parameters, *(f"ATTENTION_{name}" for name in _SIZES))
    return "-".join([*parts, *(["c"] if parameters["CK_ATTENTION_CAUSAL"] else [])])


ATTENTION = Species(
    # For each head softmax(input * input1^T / sqrt(dim)) * input2: queries, keys and values. With CK_ATTENTION_CAUSAL=1
    # the last query sees all keys, the one before it all but the last, and so on.
    name="attention",
    axes="heads-queries-keys-dim",
    fields=(
        *(Field(key=f"CK_ATTENTION_{name}") for name in _SIZES),
        Field(key="CK_ATTENTION_CAUSAL", default=0, minimum=0, written=False),
    ),
    check=_check,
    describe_tensors=_tensors,
    describe_name=_name,
    count_macs=_macs,
    reduction=lambda parameters: parameters["CK_ATTENTION_KEYS"],
)
