"""The paper's generator, both classes, squared error alone."""

from training.paper import AblationConfig

CONFIG = AblationConfig(
    name="iccv17-pixel",
)
