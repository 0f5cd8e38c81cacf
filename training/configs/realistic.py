"""The realistic restorer, from the shipped posterior mean."""

from training.data import Mix
from training.realism import RealismConfig

CONFIG = RealismConfig(
    name="realistic",
    batch=8,
    mix=Mix(text=0.0, partial=0.25, turned=0.4),
    muon=0.003,
    adamw=1.5e-4,
    warmup=400,
    ema=3_000,
    lowest=0.6,
    spectrum=2.0,
)
