"""The posterior-mean restorer for faces and text."""

from training.network import NetworkConfig
from training.train import TrainConfig

CONFIG = TrainConfig(
    name="restorer",
    network=NetworkConfig(channels=(48, 112, 224), blocks=(3, 3, 5), attention=2, head=32),
    muon=0.004,
    adamw=4e-4,
    ema=16_000,
)
