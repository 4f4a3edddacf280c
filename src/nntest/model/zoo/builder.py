"""A graph of layers in the making: each method appends one layer to the last one, or to the one that ``of`` names."""

import math

from nntest.model.network import INPUT, Layer, Network, build_network
from nntest.model.shape import same_pads
from nntest.model.species import SPECIES

Dims = tuple[int, int, int]


class GraphBuilder:
    """Collects layers; every method returns the name of the layer that it appended."""

    def __init__(self, name: str, *, source: str, size: Dims) -> None:
        self._name, self._source, self._size = name, source, size
        self._layers: list[Layer] = []
        self._last = INPUT
        self._dims: dict[str, Dims] = {INPUT: size}

    @property
    def last(self) -> str:
        """Name of the last layer."""
        return self._last

    def dims(self, of: str | None = None) -> Dims:
        """Channels, height and width after the layer ``of``, by default the last one."""
        return self._dims[of or self._last]

    def conv(
        self,
        name: str,
        out_channels: int,
        *,
        kernel: int,
        stride: int = 1,
        pad: int | None = None,
        groups: int = 1,
        relu: bool = False,
        of: str | None = None,
    ) -> str:
        """Append a convolution; without ``pad`` it pads as TensorFlow's SAME."""
        raw = {"CK_CONV_KERNEL": kernel, "CK_OUT_SHAPE_C": out_channels, "CK_CONV_GROUPS": groups}
        window = self._window("CK_CONV", kernel, stride, pad, of)
        return self._append(name, "conv", {**raw, **window}, of=of, relu=relu)

    def depthwiseconv(self, name: str, *, stride: int = 1) -> str:
        """Append a 3x3 depthwise convolution with the padding of TensorFlow's SAME."""
        return self._append(name, "depthwiseconv", self._window("CK_DEPTHWISE", 3, stride, None, None))

    def maxpool(self, name: str, *, kernel: int, stride: int, pad: int = 0, of: str | None = None) -> str:
        """Append a maximum over windows; ``pad`` on all sides."""
        return self._append(
            name, "maxpool", {"CK_POOL_KERNEL": kernel, **self._window("CK_POOL", kernel, stride, pad, of)}, of=of
        )

    def ceil_maxpool(self, name: str, *, kernel: int, stride: int) -> str:
        """Append a maximum over windows as Caffe counts them: the last one may hang over the bottom and right edge."""
        _, height, width = self.dims()
        over = {"B": _overhang(height, kernel, stride), "R": _overhang(width, kernel, stride)}
        pads = {f"CK_POOL_PAD_{side}": pad for side, pad in over.items()}
        return self._append(name, "maxpool", {"CK_POOL_KERNEL": kernel, "CK_POOL_STRIDE": stride, **pads})

    def avgpool(self, name: str, *, kernel: int, stride: int) -> str:
        """Append a mean over windows without padding."""
        return self._append(name, "avgpool", {"CK_POOL_KERNEL": kernel, "CK_POOL_STRIDE": stride})

    def global_avgpool(self, name: str) -> str:
        """Append an average over the whole (square) image."""
        return self.avgpool(name, kernel=self.dims()[1], stride=1)

    def fullyconnected(self, name: str, outputs: int, *, relu: bool = False) -> str:
        """Append a fully connected layer over all elements of its input."""
        return self._append(name, "fullyconnected", {"CK_OUT_SHAPE_C": outputs}, relu=relu)

    def lrn(self, name: str) -> str:
        """Append a local response normalisation with Caffe's constants for AlexNet and GoogLeNet."""
        return self._append(name, "lrn", {})

    def add(self, name: str, first: str, second: str, *, relu: bool = False) -> str:
        """Append the sum of two layers."""
        return self._append(name, "add", {}, inputs=(first, second), relu=relu)

    def concat(self, name: str, *branches: str) -> str:
        """Append the concatenation of two to four layers along the channels."""
        more = {f"CK_CONCAT_C{number}": self.dims(of)[0] for number, of in enumerate(branches[1:], start=1)}
        return self._append(name, "concat", more, inputs=branches)

    def softmax(self, name: str) -> str:
        """Append a softmax over the channels."""
        return self._append(name, "softmax", {})

    def network(self) -> Network:
        """Return the finished network."""
        return build_network(name=self._name, source=self._source, input_size=self._size, layers=self._layers)

    def _window(self, prefix: str, kernel: int, stride: int, pad: int | None, of: str | None) -> dict[str, int]:
        _, height, width = self.dims(of)
        top, bottom = same_pads(height, kernel, stride) if pad is None else (pad, pad)
        left, right = same_pads(width, kernel, stride) if pad is None else (pad, pad)
        pads = {"T": top, "L": left, "B": bottom, "R": right}
        return {f"{prefix}_STRIDE": stride, **{f"{prefix}_PAD_{side}": value for side, value in pads.items()}}

    def _append(
        self,
        name: str,
        species: str,
        raw: dict[str, int],
        *,
        of: str | None = None,
        inputs: tuple[str, ...] = (),
        relu: bool = False,
    ) -> str:
        inputs = inputs or (of or self._last,)
        channels, height, width = self.dims(inputs[0])
        size = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width}
        parameters, _ = SPECIES[species].normalise({**size, **raw}, where=f"{self._name}: {name}")
        post_ops = "relu" if relu else ""
        layer = Layer(name=name, species=species, parameters=parameters, inputs=inputs, post_ops=post_ops)
        self._layers.append(layer)
        self._last = name
        _, channels, height, width = layer.output
        self._dims[name] = (channels, height, width)
        return name


def _overhang(size: int, kernel: int, stride: int) -> int:
    """Padding at the end that lets ``ceil`` of the windows fit instead of ``floor``."""
    return math.ceil((size - kernel) / stride) * stride + kernel - size
