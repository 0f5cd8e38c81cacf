"""The posterior-mean restorer for faces and text."""

from training.network import SHIPPED
from training.restoration import RestorerConfig

CONFIG = RestorerConfig(
    name="restorer",
    network=SHIPPED,
    muon=0.005,
    adamw=4e-4,
    ema=16_000,
)
