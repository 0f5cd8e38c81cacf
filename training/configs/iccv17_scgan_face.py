"""Our reading of SCGAN for faces."""

from training.adversary import AdversaryConfig
from training.paper import FEATURES, AblationConfig

CONFIG = AblationConfig(
    name="iccv17-scgan-face",
    text=0.0,
    adversary=AdversaryConfig(features=FEATURES),
)
