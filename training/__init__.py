"""Training with PyTorch: not part of the wheel, and nothing in the package imports it."""
