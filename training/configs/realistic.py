"""The realistic restorer, from the shipped posterior mean."""

from training.realism import RealismConfig

CONFIG = RealismConfig(
    name="realistic", batch=8, muon=0.003, adamw=1.5e-4, warmup=400, ema=3_000, lowest=0.6
)
