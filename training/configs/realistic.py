"""The realistic restorer, from the shipped posterior mean."""

from training.realism import RealismConfig

CONFIG = RealismConfig(name="realistic", muon=0.004, adamw=4e-4, ema=8_000)
