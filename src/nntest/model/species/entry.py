"""What a species is: one table entry that says what to ask, to check, to count and to label."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nntest.model.shape import BATCH_KEY, Field, Parameters, Window, read_parameters, require_size

Tensors = dict[str, tuple[int, ...]]

DTYPE_BYTES = {"float64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int8": 1, "uint8": 1}

# Types whose operations are none of floating point.
INTEGERS = frozenset({"int8", "uint8", "int32"})

# Roles of what a layer reads from other layers, in the order of its operands.
OPERANDS = ("input", "input1", "input2", "input3")

INPUT = tuple(Field(key=f"CK_IN_SHAPE_{axis}") for axis in "CHW")
INPUT_FLAT = (Field(key="CK_IN_SHAPE_C"), *(Field(key=f"CK_IN_SHAPE_{axis}", default=1) for axis in "HW"))
OUTPUT_FLAT = (Field(key="CK_OUT_SHAPE_C"), *(Field(key=f"CK_OUT_SHAPE_{axis}", default=1) for axis in "HW"))
CHW = ("IN_SHAPE_C", "IN_SHAPE_H", "IN_SHAPE_W")
CHW_TO_CHW = (*CHW, "OUT_SHAPE_C", "OUT_SHAPE_H", "OUT_SHAPE_W")


def _no_macs(_parameters: Parameters, _tensors: Tensors) -> int:
    return 0


def _no_check(_parameters: Parameters, _where: str) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Species:
    """What one kind of computation needs to be asked, checked, counted and labelled.

    Attributes
    ----------
    name, uid
        Name in the glossary; UID of the original's ``program.species`` entry, empty where there is none.
    axes
        Legend of the numbers in ``shape_name``.
    fields, shorts
        Normalised keys, and the original's one-number keys with the keys that each stands for.
    has_weights
        Whether ``weights`` are parameters of a trained network.
    """

    name: str
    uid: str = ""
    axes: str
    fields: tuple[Field, ...]
    shorts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra_keys: tuple[str, ...] = ()
    has_weights: bool = False
    rewrite: Callable[[dict[str, int], str], dict[str, int]] | None = None
    check: Callable[[Parameters, str], None] = _no_check
    describe_tensors: Callable[[Parameters, int], Tensors]
    describe_name: Callable[[Parameters], str]
    count_macs: Callable[[Parameters, Tensors], int] = _no_macs
    count_flops: Callable[[Parameters, Tensors], int] | None = None
    count_study_flops: Callable[[Parameters], float] | None = None
    reduction: Callable[[Parameters], int]

    @property
    def keys(self) -> tuple[str, ...]:
        """CK_* keys that a shape of this species may hold, the batch size included."""
        return (BATCH_KEY, *(item.key for item in self.fields), *self.shorts, *self.extra_keys)

    def normalise(self, raw: Mapping[str, object], *, where: str = "") -> tuple[dict[str, int], int]:
        """Return complete parameters and the batch size of CK_* values.

        Parameters
        ----------
        raw
            Values by CK_* key, as numbers or numeric strings.
        where
            What an error message begins with: a file, an option; the species by default.

        Raises
        ------
        UsageError
            Unknown or missing keys, no whole numbers, and shapes that make no sense or exceed the limits.
        """
        where = where or f"shape of {self.name}"
        parameters, batch_size = read_parameters(
            raw,
            where=where,
            fields=self.fields,
            shorts=self.shorts,
            rewrite=self.rewrite,
            extra_keys=self.extra_keys,
        )
        self.check(parameters, where)
        require_size(self.tensors(parameters, batch_size), where=where)
        return parameters, batch_size

    def tensors(self, parameters: Parameters, batch_size: int = 1) -> Tensors:
        """Logical dimensions by role: activations NCHW, weights OIHW, matrices rows by columns."""
        return self.describe_tensors(parameters, batch_size)

    def output_shape(self, parameters: Parameters, batch_size: int = 1) -> tuple[int, ...]:
        """Logical dimensions of the output."""
        return self.tensors(parameters, batch_size)["output"]

    def macs(self, parameters: Parameters, batch_size: int = 1) -> int:
        """Multiply-accumulates over the true output size, those with padding included, bias left out."""
        return self.count_macs(parameters, self.tensors(parameters, batch_size))

    def flops(self, parameters: Parameters, batch_size: int = 1) -> int:
        """Floating-point operations over the true output size; two per multiply-accumulate.

        Pooling counts one per window element, softmax five per element (maximum, difference, exponential, sum,
        quotient), relu and add one, batchnorm two (a product and a sum, its factors being known beforehand), lrn two
        per neighbour and four more (scale, offset, power, quotient), resizebilinear seven (four products, three
        sums), layernorm eight (mean one, variance three, the rest four), attention its products only; what only moves
        data has none.
        """
        if self.count_flops is not None:
            return self.count_flops(parameters, self.tensors(parameters, batch_size))
        return 2 * self.macs(parameters, batch_size)

    def study_flops(self, parameters: Parameters, batch_size: int = 1) -> float:
        """Operations by the formula of the published study, which takes W/stride for the output width; 0 if none.

        The study had batch 1 only; here its figure is multiplied by the batch size.
        """
        return 0.0 if self.count_study_flops is None else batch_size * self.count_study_flops(parameters)

    def bytes_moved(self, parameters: Parameters, batch_size: int = 1, *, dtype: str = "float32") -> int:
        """Bytes of all tensors, each touched once: the least traffic that the computation can have."""
        elements = sum(math.prod(dims) for dims in self.tensors(parameters, batch_size).values())
        return elements * DTYPE_BYTES[dtype]

    def parameter_count(self, parameters: Parameters) -> int:
        """Trained numbers of a layer: weights and bias."""
        tensors = self.tensors(parameters)
        return sum(math.prod(tensors[role]) for role in ("weights", "bias") if self.has_weights and role in tensors)

    def reduction_length(self, parameters: Parameters) -> int:
        """Number of terms that one output value sums: the K of the tolerance."""
        return self.reduction(parameters)

    def shape_name(self, parameters: Parameters) -> str:
        """Return the canonical name, equal exactly for equal parameters: the original's numbers.

        Suffixes appear only where those cannot say it.
        """
        return self.describe_name(parameters)

    def ck_values(self, parameters: Parameters, batch_size: int | None = None) -> dict[str, int]:
        """Return the values as a shape file holds them: the original's short keys wherever they suffice."""
        values: dict[str, int] = {} if batch_size is None else {BATCH_KEY: batch_size}
        for item in self.fields:
            short = next((short for short, keys in self.shorts.items() if item.key in keys), None)
            same = short is not None and len({parameters[key] for key in self.shorts[short]}) == 1
            optional = item.default is not None and not item.written
            if optional and parameters[item.key] == item.default and (same or short is None):
                continue
            values[short if same and short is not None else item.key] = parameters[item.key]
        return values


def names(parameters: Parameters, *keys: str) -> list[str]:
    """Values of the keys (without ``CK_``), as a name shows them."""
    return [str(parameters[f"CK_{key}"]) for key in keys]


def pair(size: tuple[int, int]) -> str:
    """Return one number for a square, ``3x1`` (rows by columns) otherwise."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def sides(pads: tuple[int, int, int, int]) -> str:
    """Return one number for equal padding, ``top.left.bottom.right`` otherwise."""
    return str(pads[0]) if len(set(pads)) == 1 else ".".join(map(str, pads))


def input_dims(parameters: Parameters, batch_size: int) -> tuple[int, int, int, int]:
    """Input dimensions N, C, H, W."""
    return batch_size, parameters["CK_IN_SHAPE_C"], parameters["CK_IN_SHAPE_H"], parameters["CK_IN_SHAPE_W"]


def windows(parameters: Parameters, prefix: str) -> tuple[int, int]:
    """Output height and width of the window whose keys begin with ``prefix``."""
    return Window.of(parameters, prefix).output(parameters["CK_IN_SHAPE_H"], parameters["CK_IN_SHAPE_W"])


def plain_name(*keys: str) -> Callable[[Parameters], str]:
    """Return a naming rule that joins the values of the keys by dashes."""
    return lambda parameters: "-".join(names(parameters, *keys))


def weighted_macs(_parameters: Parameters, tensors: Tensors) -> int:
    """Each output value sums one filter: O outputs over I*H*W weights of it."""
    return math.prod(tensors["output"]) * math.prod(tensors["weights"][1:])
