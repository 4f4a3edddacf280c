"""A convolution by ncnn: a network of one layer, entered as applications do it, and one that holds the layer often."""

import ctypes
import importlib
from array import array
from collections.abc import Callable, Sequence
from typing import Any

_ncnn: Any = importlib.import_module("ncnn.ncnn")

_MAGIC = 7767517
_RELU = 1
_FLOAT = 4
# Everything that computes with less than float32.
_REDUCED = (
    *("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage"),
    *("use_int8_packed", "use_int8_storage", "use_int8_arithmetic", "use_int8_inference"),
)
# A layer that is repeated has weights of its own each time: all of them together must stay in a core's own cache, as
# those of one layer that is called again and again do.
_MOST_COPIES = 64
_WEIGHTS_BYTES = 1 << 18


def version() -> str:
    """Return the version of the library."""
    return str(_ncnn.__version__)


def nothing() -> Callable[[], None]:
    """Return an inference that computes nothing: what entering the library costs."""
    network = _network(("Input input 0 1 in",), b"", threads=1, packed=False)
    image = _ncnn.Mat(1, 1, 1)
    image.fill(0.0)
    return _inference(network, image, 0, _ncnn.Mat())


class Convolution:
    """One layer; images lie in memory of the library's, weights in its network.

    Parameters
    ----------
    dims
        Batch, channels, height and width of the input, then of the output.
    window
        Kernel height and width, strides, dilations, padding at top, left, bottom and right.
    groups
        Of the channels.
    choices
        Whether relu follows, the number of threads, and whether the library may put channels beside each other, as it
        does when nobody forbids it.
    """

    def __init__(self, dims: Sequence[int], window: Sequence[int], groups: int, choices: Sequence[int]) -> None:
        self._input, self._output = tuple(dims[:4]), tuple(dims[4:])
        self._window, self._groups = window, groups
        relu, threads, packed = choices
        self._relu, self._threads, self._packed = bool(relu), threads, bool(packed)
        self._options = _ncnn.Option()  # for what is done outside of a network, which would take all cores
        self._options.num_threads = threads
        self._kind = "ConvolutionDepthWise" if groups > 1 else "Convolution"
        if self._input[0] > 1 and not hasattr(_ncnn.Mat, "batch"):
            raise NotImplementedError(f"batch size {self._input[0]}; ncnn {version()} takes one image at a time")
        self.input_pack, self.output_pack = self._pack_of(self._input[1]), self._pack_of(self._output[1])
        self._image = _image(self._input, self.input_pack)
        self._result = _ncnn.Mat()
        self._weights = self._bias = b""
        # Methods of its own here would make a cycle, and nobody collects those: see host.
        self.run: Callable[[], None] = _not_loaded
        self.run_batch: Callable[[], None] = _not_loaded

    def load(self, weights: int, weights_size: int, bias: int, bias_size: int) -> None:
        """Take the weights and the bias from these addresses (sizes in bytes) and make the network."""
        self._weights, self._bias = ctypes.string_at(weights, weights_size), ctypes.string_at(bias, bias_size)
        lines = ("Input input 0 1 in", self._layer("layer", "in", "out"))
        network = _network(lines, self._constants(), threads=self._threads, packed=self._packed)
        self.run = _inference(network, self._image, 1, self._result)

    def read(self, plain: int) -> None:
        """Bring images from an address, where they lie plain, into the form that the network takes."""
        for source, target in zip(_views(plain, self._input), _images(self._image, self._input[0]), strict=True):
            if self.input_pack == 1:
                _copy(source, target)
            else:
                _ncnn.convert_packing(source, target, self.input_pack, self._options)

    def write(self, plain: int) -> None:
        """Bring the result to an address, plain."""
        self._write(self._result, plain)

    def kernel(self) -> str:
        """Return what computes: the layer, and whether it does so by Winograd's algorithm.

        The library does not tell, but can be forbidden to: where the result is another one then, to the last bit, it
        did.
        """
        self.run()
        without = _ncnn.Mat()
        lines = ("Input input 0 1 in", self._layer("layer", "in", "out"))
        network = _network(lines, self._constants(), threads=self._threads, packed=self._packed, winograd=False)
        _inference(network, self._image, 1, without)()
        return self._kind + ("" if self._plain(without) == self._plain(self._result) else ":winograd")

    def batch(self) -> int:
        """Make a network with the layer several times and say how many; 1 where that would be no gain.

        All read the same images. Each result is let go of when the next is there, so that memory is used again: by
        a Noop, which has both as inputs and passes the first one on. So what comes out is the first layer's result;
        that each computes the same, to the last bit, is seen by asking for the results one by one.
        """
        copies = min(_MOST_COPIES, _WEIGHTS_BYTES // max(1, len(self._weights)))
        if copies < 2:
            return 1
        numbers = range(copies)
        lines = ["Input input 0 1 in", f"Split split 1 {copies} in {' '.join(f'in{k}' for k in numbers)}"]
        results = []
        for k in numbers:
            results.append(_blobs(lines))
            lines.append(self._layer(f"layer{k}", f"in{k}", f"out{k}"))
            if k > 0:
                lines.append(f"Noop pass{k} 2 1 {'out0' if k == 1 else f'pass{k - 1}'} out{k} pass{k}")
        network = _network(lines, self._constants() * copies, threads=self._threads, packed=self._packed)
        last = _blobs(lines) - 1
        self.run()
        single = self._plain(self._result)
        for number in (*results, last):
            result = _ncnn.Mat()
            _inference(network, self._image, number, result)()
            if self._plain(result) != single:
                return 1
        self.run_batch = _inference(network, self._image, last, _ncnn.Mat())
        return copies

    def _layer(self, name: str, source: str, target: str) -> str:
        kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left, bottom, right = self._window
        values = {0: self._output[1], 1: kernel_w, 11: kernel_h, 2: dilation_w, 12: dilation_h, 3: stride_w}
        values |= {13: stride_h, 4: left, 14: top, 15: right, 16: bottom, 5: 1, 6: len(self._weights) // _FLOAT}
        if self._groups > 1:
            values[7] = self._groups
        if self._relu:
            values[9] = _RELU
        words = [f"{key}={value}" for key, value in values.items()]
        return " ".join([self._kind, name, "1 1", source, target, *words])

    def _constants(self) -> bytes:
        return bytes(_FLOAT) + self._weights + self._bias  # a word of zeros says that weights are float32

    def _pack_of(self, channels: int) -> int:
        """Return how many channels lie beside each other where a layer hands on so many."""
        lines = ("Input input 0 1 in", "ReLU relu 1 1 in out")
        network = _network(lines, b"", threads=1, packed=self._packed)
        image, result = _ncnn.Mat(1, 1, channels), _ncnn.Mat()
        image.fill(0.0)
        _inference(network, image, 1, result)()
        return int(result.elempack)

    def _write(self, result: Any, plain: int) -> None:
        if result.elempack != self.output_pack or (result.w, result.h) != (self._output[3], self._output[2]):
            raise ValueError(f"ncnn: a result of {result.w} x {result.h} with {result.elempack} channels together")
        for source, target in zip(_images(result, self._output[0]), _views(plain, self._output), strict=True):
            if self.output_pack == 1:
                _copy(source, target)
            else:
                _ncnn.convert_packing(source, target, 1, self._options)

    def _plain(self, result: Any) -> bytes:
        values = array("f", bytes(_FLOAT * _count(self._output)))
        self._write(result, values.buffer_info()[0])
        return values.tobytes()


def _network(lines: Sequence[str], constants: bytes, *, threads: int, packed: bool, winograd: bool = True) -> Any:
    network = _ncnn.Net()
    options = network.opt
    for name in _REDUCED:
        if hasattr(options, name):
            setattr(options, name, False)
    options.use_packing_layout, options.use_winograd_convolution = packed, winograd
    options.num_threads = threads
    text = "\n".join([str(_MAGIC), f"{len(lines)} {_blobs(lines)}", *lines, ""])
    if network.load_param_mem(text) != 0:
        raise ValueError("ncnn: the network was refused")
    network.load_model_mem(constants)
    return network


def _not_loaded() -> None:
    raise ValueError("ncnn: the layer has no weights yet")


def _blobs(lines: Sequence[str]) -> int:
    return sum(int(line.split()[3]) for line in lines)


def _inference(network: Any, image: Any, last: int, result: Any) -> Callable[[], None]:
    start = network.create_extractor

    def run() -> None:
        extractor = start()
        extractor.input(0, image)
        # As it is: with 0 the result would be brought into the plain layout.
        if extractor.extract(last, result, 1) != 0:
            raise ValueError("ncnn: the inference failed")

    return run


def _image(dims: Sequence[int], pack: int) -> Any:
    batch, channels, height, width = dims
    image = _ncnn.Mat()
    several = {"n": batch} if batch > 1 else {}
    image.create(width, height, channels // pack, elemsize=_FLOAT * pack, elempack=pack, **several)
    return image


def _images(image: Any, batch: int) -> list[Any]:
    return [image.batch(number) for number in range(batch)] if batch > 1 else [image]


def _views(plain: int, dims: Sequence[int]) -> list[Any]:
    """Return images that lie one after the other at an address, as the library sees them."""
    batch, *shape = dims
    values = _count(shape)
    views = []
    for number in range(batch):
        memory = (ctypes.c_float * values).from_address(plain + number * values * _FLOAT)
        views.append(_ncnn.Mat(memoryview(memory).cast("B").cast("f", tuple(shape))))
    return views


def _copy(source: Any, target: Any) -> None:
    """Copy an image; channels of the library's own begin at multiples of 16 bytes."""
    if source.cstep == target.cstep:
        ctypes.memmove(_address(target.channel(0)), _address(source.channel(0)), source.cstep * source.c * _FLOAT)
        return
    for channel in range(source.c):
        size = source.w * source.h * _FLOAT
        ctypes.memmove(_address(target.channel(channel)), _address(source.channel(channel)), size)


def _address(image: Any) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memoryview(image)))


def _count(dims: Sequence[int]) -> int:
    count = 1
    for dim in dims:
        count *= dim
    return count
