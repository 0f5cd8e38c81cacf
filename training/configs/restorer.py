"""The posterior-mean restorer for faces and text."""

from training.data import Mix
from training.network import SHIPPED
from training.restoration import RestorerConfig

CONFIG = RestorerConfig(
    name="restorer",
    batch=32,
    network=SHIPPED,
    mix=Mix(text=0.28, partial=0.25, turned=0.4),
    muon=0.006,
    adamw=4e-4,
    ema=16_000,
)
