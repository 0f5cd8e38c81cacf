"""Reads identity out of covered faces (attacker A3)."""

from training.data import Mix
from training.identity import IdentityConfig
from training.identity_data import AttackMix

CONFIG = IdentityConfig(
    name="attacker",
    mix=AttackMix(
        degradations=Mix(
            x4=0.14,
            x8=0.1,
            mixed=0.04,
            mosaic=0.34,
            gauss=0.28,
            box=0.07,
            motion=0.03,
            codec=0.3,
            partial=0.12,
            misaligned=0.8,
            rotation=2.0,
            scale=0.03,
            shift=1.5,
        ),
    ),
    batch=64,
    muon=0.006,
    adamw=6e-4,
    warmup=6_000,
    ema=16_000,
)
