"""Our body at the same size, both classes, squared error alone."""

from training.network import NetworkConfig
from training.paper import AblationConfig

CONFIG = AblationConfig(
    name="iccv17-body",
    network=NetworkConfig(channels=(48, 112, 224), blocks=(3, 4, 7), head=32, size=64),
)
