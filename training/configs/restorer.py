"""The posterior-mean restorer for faces and text."""

from training.network import NetworkConfig
from training.restoration import RestorerConfig

CONFIG = RestorerConfig(
    name="restorer",
    network=NetworkConfig(channels=(48, 112, 224), blocks=(3, 4, 7), attention=2, head=32),
    muon=0.005,
    adamw=4e-4,
    ema=16_000,
)
