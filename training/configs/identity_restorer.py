"""The restoring attacker's own restorer, from the shipped posterior mean."""

from training.identity_restorer import IdentityRestorerConfig

CONFIG = IdentityRestorerConfig(
    name="attacker-restorer", batch=16, muon=0.003, adamw=2e-4, warmup=800, ema=6_000
)
