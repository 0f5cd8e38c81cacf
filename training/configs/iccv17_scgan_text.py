"""Our reading of SCGAN for text."""

from training.adversary import AdversaryConfig
from training.paper import FEATURES, AblationConfig

CONFIG = AblationConfig(
    name="iccv17-scgan-text",
    text=1.0,
    adversary=AdversaryConfig(features=FEATURES),
)
