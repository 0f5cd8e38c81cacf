"""The restorer's last stretch: from the average of several runs, at a third of the rate.

The recogniser weighs more than before: at a small rate that costs faces no squared error.
"""

from training.data import Mix
from training.network import SHIPPED
from training.restoration import RestorerConfig

CONFIG = RestorerConfig(
    name="restorer",
    batch=32,
    network=SHIPPED,
    mix=Mix(text=0.36, text_x4=0.45, partial=0.25, turned=0.4, sampled=0.2),
    muon=0.002,
    adamw=1.5e-4,
    ema=16_000,
    reader=0.15,
    identity=0.5,
)
