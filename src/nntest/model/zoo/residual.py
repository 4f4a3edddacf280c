"""Residual networks (K. He et al., "Deep residual learning for image recognition", 2015).

Layer names of the ImageNet networks are those of the authors' Caffe models. Where sizes change, the shortcut is a 1x1
convolution (option B); the stride stands in the block's first convolution.
"""

from nntest.model.network import Network
from nntest.model.zoo.builder import GraphBuilder

_PAPER = "arXiv:1512.03385"


def resnet_18() -> Network:
    """Return ResNet-18."""
    return _imagenet("resnet-18", blocks=(2, 2, 2, 2), bottleneck=False)


def resnet_50() -> Network:
    """Return ResNet-50 of the paper (v1); torchvision's moves the stride to the 3x3 convolution (v1.5)."""
    return _imagenet("resnet-50", blocks=(3, 4, 6, 3), bottleneck=True)


def resnet_20_cifar10() -> Network:
    """Return ResNet-20 for 32x32 pixels and ten classes.

    The paper's shortcuts are option A there: every second pixel, padded with channels of zeros, which no library here
    has as an operator. These are option B, which adds 2,656 parameters and 262,144 multiply-accumulates.
    """
    graph = GraphBuilder(
        "resnet-20-cifar10", source=f"{_PAPER}, section 4.2, n = 3; shortcuts of option B", size=(3, 32, 32)
    )
    graph.conv("conv1", 16, kernel=3, pad=1, relu=True)
    for stage, channels in enumerate((16, 32, 64), start=1):
        for block in range(1, 4):
            _block(graph, f"stage{stage}_{block}", channels, stride=2 if stage > 1 and block == 1 else 1)
    graph.global_avgpool("pool")
    graph.fullyconnected("fc", 10)
    graph.softmax("prob")
    return graph.network()


def _imagenet(name: str, *, blocks: tuple[int, ...], bottleneck: bool) -> Network:
    graph = GraphBuilder(name, source=f"{_PAPER}, table 1; shortcuts of option B", size=(3, 224, 224))
    graph.conv("conv1", 64, kernel=7, stride=2, pad=3, relu=True)
    graph.maxpool("pool1", kernel=3, stride=2, pad=1)
    append = _bottleneck if bottleneck else _block
    for stage, (count, channels) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=2):
        for number in range(count):
            stride = 2 if stage > 2 and number == 0 else 1
            append(graph, f"res{stage}{'abcdef'[number]}", channels, stride=stride)
    graph.global_avgpool("pool5")
    graph.fullyconnected("fc1000", 1000)
    graph.softmax("prob")
    return graph.network()


def _block(graph: GraphBuilder, name: str, channels: int, *, stride: int) -> None:
    """Two 3x3 convolutions beside the shortcut."""
    start = graph.last
    graph.conv(f"{name}_branch2a", channels, kernel=3, stride=stride, pad=1, relu=True, of=start)
    end = graph.conv(f"{name}_branch2b", channels, kernel=3, pad=1)
    graph.add(name, _shortcut(graph, name, start, channels, stride), end, relu=True)


def _bottleneck(graph: GraphBuilder, name: str, channels: int, *, stride: int) -> None:
    """A 3x3 convolution between two of 1x1, the last of which has four times the channels, beside the shortcut."""
    start = graph.last
    graph.conv(f"{name}_branch2a", channels, kernel=1, stride=stride, pad=0, relu=True, of=start)
    graph.conv(f"{name}_branch2b", channels, kernel=3, pad=1, relu=True)
    end = graph.conv(f"{name}_branch2c", 4 * channels, kernel=1, pad=0)
    graph.add(name, _shortcut(graph, name, start, 4 * channels, stride), end, relu=True)


def _shortcut(graph: GraphBuilder, name: str, start: str, channels: int, stride: int) -> str:
    if stride == 1 and graph.dims(start)[0] == channels:
        return start
    return graph.conv(f"{name}_branch1", channels, kernel=1, stride=stride, pad=0, of=start)
