"""Reads identity out of what a cover leaves: hair, outline, ears (attacker A5)."""

from dataclasses import replace

from training.configs.identity_face import CONFIG as FACE

CONFIG = replace(FACE, name="attacker-context", mix=replace(FACE.mix, context=True, virtual=0.0))
