"""The aligner of covered faces."""

from training.alignment import AlignerConfig, Errors
from training.data import Mix

CONFIG = AlignerConfig(
    name="aligner",
    batch=32,
    muon=0.01,
    adamw=2e-3,
    warmup=1_000,
    ema=8_000,
    channels=(48, 96),
    blocks=(2, 4),
    mix=Mix(mosaic=0.42, sampled=0.45, gauss=0.28, box=0.25, motion=0.05, partial=0.6),
    errors=Errors(spread=(0.1, 2.0)),
)
