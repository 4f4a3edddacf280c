"""MobileNet v1 (A. Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision", 2017).

Layer names and the 1001 classes are those of the published TensorFlow model.
"""

from nntest.model.network import Network
from nntest.model.zoo.builder import GraphBuilder

# Output channels and stride of the thirteen depthwise-separable blocks, table 1 of the paper.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


WIDTHS = (1.0, 0.75, 0.5, 0.25)
RESOLUTIONS = (224, 192, 160, 128)


def mobilenet_v1(*, width: float = 1.0, resolution: int = 224, classes: int = 1001) -> Network:
    """Return MobileNet v1 with its width multiplier and its input's resolution in pixels."""
    graph = GraphBuilder(
        f"mobilenets-v1-{width}-{resolution}",
        source="arXiv:1704.04861, table 1; padding SAME as in the published TensorFlow model",
        size=(3, resolution, resolution),
    )
    graph.conv("Conv2d_0", _scaled(32, width), kernel=3, stride=2)
    for number, (channels, stride) in enumerate(_BLOCKS, start=1):
        graph.depthwiseconv(f"Conv2d_{number}_depthwise", stride=stride)
        graph.conv(f"Conv2d_{number}_pointwise", _scaled(channels, width), kernel=1)
    graph.global_avgpool("AvgPool_1a")
    graph.conv("Logits_Conv2d_1c_1x1", classes, kernel=1)
    graph.softmax("Predictions")
    return graph.network()


def _scaled(channels: int, width: float) -> int:
    return max(8, int(channels * width))
