"""The restorer, taught further what a reader and a recogniser can tell; more text than before."""

from training.data import Mix
from training.network import SHIPPED
from training.restoration import RestorerConfig

CONFIG = RestorerConfig(
    name="restorer",
    batch=32,
    network=SHIPPED,
    mix=Mix(text=0.45, text_x4=0.45, partial=0.25, turned=0.4, sampled=0.2),
    muon=0.006,
    adamw=4e-4,
    ema=16_000,
    reader=0.15,
    identity=0.2,
)
