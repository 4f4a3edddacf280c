"""Networks whose layers branch and meet again: GoogLeNet and SqueezeNet. Layer names are those of Caffe's models."""

from nntest.model.network import Network
from nntest.model.zoo.builder import GraphBuilder

# Channels of 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection: table 1 of the GoogLeNet paper.
_INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_POOL_BEFORE = {"4a": "pool3/3x3_s2", "5a": "pool4/3x3_s2"}

# Channels of each fire module's squeeze and of either of its expand convolutions.
_FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}


def googlenet() -> Network:
    """Return GoogLeNet (Inception v1) as inference runs it: without its two auxiliary classifiers."""
    graph = GraphBuilder(
        "googlenet",
        source="arXiv:1409.4842, table 1; LRN and windows that hang over the edge as in Caffe's bvlc_googlenet",
        size=(3, 224, 224),
    )
    graph.conv("conv1/7x7_s2", 64, kernel=7, stride=2, pad=3, relu=True)
    graph.ceil_maxpool("pool1/3x3_s2", kernel=3, stride=2)
    graph.lrn("pool1/norm1")
    graph.conv("conv2/3x3_reduce", 64, kernel=1, pad=0, relu=True)
    graph.conv("conv2/3x3", 192, kernel=3, pad=1, relu=True)
    graph.lrn("conv2/norm2")
    graph.ceil_maxpool("pool2/3x3_s2", kernel=3, stride=2)
    for label, channels in _INCEPTIONS.items():
        if label in _POOL_BEFORE:
            graph.ceil_maxpool(_POOL_BEFORE[label], kernel=3, stride=2)
        _inception(graph, f"inception_{label}", channels)
    graph.global_avgpool("pool5/7x7_s1")
    graph.fullyconnected("loss3/classifier", 1000)
    graph.softmax("prob")
    return graph.network()


def squeezenet_1_0() -> Network:
    """Return SqueezeNet 1.0, the paper's."""
    return _squeezenet("squeezenet-1.0", first=(96, 7), pools=(4, 8), source="arXiv:1602.07360, table 1")


def squeezenet_1_1() -> Network:
    """Return SqueezeNet 1.1: a smaller first convolution, and poolings earlier."""
    source = "SqueezeNet_v1.1 of the authors' repository (forresti/SqueezeNet)"
    return _squeezenet("squeezenet-1.1", first=(64, 3), pools=(3, 5), source=source)


def _inception(graph: GraphBuilder, name: str, channels: tuple[int, int, int, int, int, int]) -> None:
    ones, reduce_3, threes, reduce_5, fives, projected = channels
    start = graph.last
    branches = [graph.conv(f"{name}/1x1", ones, kernel=1, pad=0, relu=True, of=start)]
    graph.conv(f"{name}/3x3_reduce", reduce_3, kernel=1, pad=0, relu=True, of=start)
    branches.append(graph.conv(f"{name}/3x3", threes, kernel=3, pad=1, relu=True))
    graph.conv(f"{name}/5x5_reduce", reduce_5, kernel=1, pad=0, relu=True, of=start)
    branches.append(graph.conv(f"{name}/5x5", fives, kernel=5, pad=2, relu=True))
    graph.maxpool(f"{name}/pool", kernel=3, stride=1, pad=1, of=start)
    branches.append(graph.conv(f"{name}/pool_proj", projected, kernel=1, pad=0, relu=True))
    graph.concat(f"{name}/output", *branches)


def _squeezenet(name: str, *, first: tuple[int, int], pools: tuple[int, int], source: str) -> Network:
    """``first`` holds channels and kernel of the first convolution, ``pools`` the modules that a pooling follows."""
    channels, kernel = first
    graph = GraphBuilder(name, source=f"{source}; 227 pixels as in the authors' Caffe model", size=(3, 227, 227))
    graph.conv("conv1", channels, kernel=kernel, stride=2, pad=0, relu=True)
    graph.ceil_maxpool("pool1", kernel=3, stride=2)
    for number, (squeezed, expanded) in _FIRES.items():
        _fire(graph, f"fire{number}", squeezed, expanded)
        if number in pools:
            graph.ceil_maxpool(f"pool{number}", kernel=3, stride=2)
    graph.conv("conv10", 1000, kernel=1, pad=0, relu=True)
    graph.global_avgpool("pool10")
    graph.softmax("prob")
    return graph.network()


def _fire(graph: GraphBuilder, name: str, squeezed: int, expanded: int) -> None:
    start = graph.conv(f"{name}/squeeze1x1", squeezed, kernel=1, pad=0, relu=True)
    ones = graph.conv(f"{name}/expand1x1", expanded, kernel=1, pad=0, relu=True, of=start)
    threes = graph.conv(f"{name}/expand3x3", expanded, kernel=3, pad=1, relu=True, of=start)
    graph.concat(f"{name}/concat", ones, threes)
