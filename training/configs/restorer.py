"""The posterior-mean restorer for faces and text."""

from training.network import NetworkConfig
from training.train import TrainConfig

CONFIG = TrainConfig(
    name="restorer",
    network=NetworkConfig(channels=(48, 112, 224), blocks=(1, 2, 4), attention=2, head=32),
    muon=0.0045,
    adamw=4e-4,
    ema=24_000,
)
