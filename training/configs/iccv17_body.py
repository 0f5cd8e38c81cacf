"""Our body at the same size, both classes, squared error alone.

As narrow as a quarter of the paper's multiply-accumulates at 32 channels asks for.
"""

from training.network import NetworkConfig
from training.paper import AblationConfig

CONFIG = AblationConfig(
    name="iccv17-body",
    network=NetworkConfig(channels=(40, 88, 192), blocks=(3, 3, 6), head=32, size=64),
)
