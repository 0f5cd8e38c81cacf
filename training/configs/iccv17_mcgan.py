"""The same with feature matching: our reading of MCGAN."""

from training.adversary import AdversaryConfig
from training.paper import FEATURES, AblationConfig

CONFIG = AblationConfig(
    name="iccv17-mcgan",
    adversary=AdversaryConfig(features=FEATURES),
)
