"""The aligner of covered faces."""

from training.alignment import AlignerConfig

CONFIG = AlignerConfig(name="aligner", batch=32, muon=0.01, adamw=2e-3, warmup=1_000, ema=4_000)
