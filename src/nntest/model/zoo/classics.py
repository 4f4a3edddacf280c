"""Networks that are plain chains: LeNet-5, AlexNet, VGG-16."""

from nntest.model.network import Network
from nntest.model.zoo.builder import GraphBuilder

# Output channels of the 3x3 convolutions of each block; configuration D of table 1.
_VGG_16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def lenet_5() -> Network:
    """Return LeNet-5 in the form that is common now.

    C3 sees all of S2's maps, subsampling is an average without weights, and the output is a fully connected layer; the
    paper's C3 leaves out connections, its subsampling has weights, its output compares with fixed codes.
    """
    graph = GraphBuilder(
        "lenet-5",
        source="Y. LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.B; "
        "C3 fully connected, subsampling without weights, linear output",
        size=(1, 32, 32),
    )
    graph.conv("C1", 6, kernel=5, pad=0)
    graph.avgpool("S2", kernel=2, stride=2)
    graph.conv("C3", 16, kernel=5, pad=0)
    graph.avgpool("S4", kernel=2, stride=2)
    graph.conv("C5", 120, kernel=5, pad=0)
    graph.fullyconnected("F6", 84)
    graph.fullyconnected("Output", 10)
    graph.softmax("prob")
    return graph.network()


def alexnet() -> Network:
    """Return AlexNet with the two groups of the original's two GPUs, as Caffe published it."""
    graph = GraphBuilder(
        "alexnet",
        source="A. Krizhevsky et al., ImageNet classification with deep convolutional neural networks, 2012; "
        "227 pixels and the order of LRN and pooling as in Caffe's bvlc_alexnet",
        size=(3, 227, 227),
    )
    graph.conv("conv1", 96, kernel=11, stride=4, pad=0, relu=True)
    graph.lrn("norm1")
    graph.maxpool("pool1", kernel=3, stride=2)
    graph.conv("conv2", 256, kernel=5, pad=2, groups=2, relu=True)
    graph.lrn("norm2")
    graph.maxpool("pool2", kernel=3, stride=2)
    graph.conv("conv3", 384, kernel=3, pad=1, relu=True)
    graph.conv("conv4", 384, kernel=3, pad=1, groups=2, relu=True)
    graph.conv("conv5", 256, kernel=3, pad=1, groups=2, relu=True)
    graph.maxpool("pool5", kernel=3, stride=2)
    graph.fullyconnected("fc6", 4096, relu=True)
    graph.fullyconnected("fc7", 4096, relu=True)
    graph.fullyconnected("fc8", 1000)
    graph.softmax("prob")
    return graph.network()


def vgg_16() -> Network:
    """Return VGG-16, configuration D."""
    graph = GraphBuilder(
        "vgg-16",
        source="arXiv:1409.1556, table 1, configuration D",
        size=(3, 224, 224),
    )
    for block, widths in enumerate(_VGG_16, start=1):
        for number, channels in enumerate(widths, start=1):
            graph.conv(f"conv{block}_{number}", channels, kernel=3, pad=1, relu=True)
        graph.maxpool(f"pool{block}", kernel=2, stride=2)
    graph.fullyconnected("fc6", 4096, relu=True)
    graph.fullyconnected("fc7", 4096, relu=True)
    graph.fullyconnected("fc8", 1000)
    graph.softmax("prob")
    return graph.network()
