"""Our body at the same size, both classes, squared error alone.

As narrow as a quarter of the paper's multiply-accumulates at 32 channels asks for; blocks at the
fine level serve text, whose strokes are a pixel wide.
"""

from training.network import NetworkConfig
from training.paper import AblationConfig

CONFIG = AblationConfig(
    name="iccv17-body",
    network=NetworkConfig(channels=(56, 80, 128), blocks=(4, 2, 2), head=40, size=64),
)
