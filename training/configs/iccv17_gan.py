"""The same beside a basic GAN."""

from training.adversary import AdversaryConfig
from training.paper import AblationConfig

CONFIG = AblationConfig(
    name="iccv17-gan",
    adversary=AdversaryConfig(),
)
