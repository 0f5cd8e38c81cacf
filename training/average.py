"""Average the weights of runs that started from one another: a model soup.

Two ends of one descent lie in the same valley, and the middle of it is often better than either
(Wortsman et al., "Model soups", ICML 2022). It costs nothing when restoring. Choose the weights on
``valid``.

    python -m training.average runs/a/cooled.pt 0.3 runs/b/cooled.pt 0.7 --out runs/soup.pt
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


def average(parts: Sequence[tuple[dict[str, Any], float]]) -> dict[str, Any]:
    """Blend checkpoints.

    Parameters
    ----------
    parts : sequence of (dict, float)
        Checkpoints of :mod:`training.train` and their weights, which add up to 1. All but the
        averaged network is the last one's; what only training needs is left out.

    Returns
    -------
    dict
        A checkpoint whose configuration says what it was blended from.

    Raises
    ------
    ValueError
        Where the weights do not add up to 1, or the networks differ in shape.
    """
    if abs(sum(weight for _, weight in parts) - 1) > 1e-6:
        raise ValueError(f"weights {[weight for _, weight in parts]} do not add up to 1")
    configs = [json.loads(state["config"]) for state, _ in parts]
    if any(config["network"] != configs[-1]["network"] for config in configs):
        raise ValueError("the networks differ in shape")
    last = parts[-1][0]
    blended = {
        name: sum(
            (weight * state["ema"][name].float() for state, weight in parts),
            torch.zeros_like(value, dtype=torch.float32),
        )
        for name, value in last["ema"].items()
    }
    origin = [
        {
            "pictures": int(state["seen"]),
            "weight": weight,
            "commit": state["commit"],
            "data": state["data"],
        }
        for state, weight in parts
    ]
    config = configs[-1] | {"average_of": origin}
    kept = {key: last[key] for key in ("commit", "seed", "data", "seen")}
    return {**kept, "ema": blended, "config": json.dumps(config)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="+", metavar="CHECKPOINT WEIGHT")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    if len(given.parts) % 2:
        parser.error("give a weight after each checkpoint")
    try:
        weights = [float(weight) for weight in given.parts[1::2]]
        states = [torch.load(p, map_location="cpu", weights_only=True) for p in given.parts[::2]]
        blended = average(list(zip(states, weights, strict=True)))
    except (ValueError, OSError) as error:
        parser.error(str(error))
    torch.save(blended, given.out)


if __name__ == "__main__":
    main()
