"""One file per training, each defining ``CONFIG``."""
