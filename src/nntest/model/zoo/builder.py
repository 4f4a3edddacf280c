"""A chain of layers in the making: each method appends one layer to what the previous ones gave."""

from nntest.model.network import INPUT, Layer, Network, build_network
from nntest.model.shape import same_pads
from nntest.model.species import SPECIES


class GraphBuilder:
    """Collects layers; convolutions and poolings pad as TensorFlow's SAME unless told otherwise."""

    def __init__(self, name: str, *, source: str, size: tuple[int, int, int]) -> None:
        self._name, self._source, self._size = name, source, size
        self._layers: list[Layer] = []
        self._last = INPUT
        self._dims = size

    @property
    def dims(self) -> tuple[int, int, int]:
        """Channels, height and width after the last layer."""
        return self._dims

    def conv(self, name: str, out_channels: int, *, kernel: int, stride: int = 1) -> str:
        """Append a convolution; returns its name."""
        window = self._same("CK_CONV", kernel, stride)
        return self._append(name, "conv", {**window, "CK_CONV_KERNEL": kernel, "CK_OUT_SHAPE_C": out_channels})

    def depthwiseconv(self, name: str, *, stride: int = 1) -> str:
        """Append a 3x3 depthwise convolution; returns its name."""
        return self._append(name, "depthwiseconv", self._same("CK_DEPTHWISE", 3, stride))

    def global_avgpool(self, name: str) -> str:
        """Append an average over the whole (square) image; returns its name."""
        return self._append(name, "avgpool", {"CK_POOL_KERNEL": self._dims[1], "CK_POOL_STRIDE": 1})

    def softmax(self, name: str) -> str:
        """Append a softmax over the channels; returns its name."""
        return self._append(name, "softmax", {})

    def network(self) -> Network:
        """Return the finished network."""
        return build_network(name=self._name, source=self._source, input_size=self._size, layers=self._layers)

    def _same(self, prefix: str, kernel: int, stride: int) -> dict[str, int]:
        top, bottom = same_pads(self._dims[1], kernel, stride)
        left, right = same_pads(self._dims[2], kernel, stride)
        pads = {"T": top, "L": left, "B": bottom, "R": right}
        return {f"{prefix}_STRIDE": stride, **{f"{prefix}_PAD_{side}": pad for side, pad in pads.items()}}

    def _append(self, name: str, species: str, raw: dict[str, int]) -> str:
        channels, height, width = self._dims
        size = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width}
        parameters, _ = SPECIES[species].normalise({**size, **raw}, where=f"{self._name}: {name}")
        layer = Layer(name=name, species=species, parameters=parameters, inputs=(self._last,))
        self._layers.append(layer)
        self._last = name
        _, channels, height, width = layer.output
        self._dims = (channels, height, width)
        return name
