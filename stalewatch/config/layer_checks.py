"""Whether layers name what there is."""

from collections.abc import Iterator

from stalewatch.config.model import Config
from stalewatch.config.problem import Loc
from stalewatch.config.wording import did_you_mean


def layer_faults(config: Config) -> Iterator[tuple[Loc, str]]:
    """What is wrong with each layer beside the others, and where."""
    for name, layer in config.layers.items():
        for index, below in enumerate(layer.fills_from):
            loc = ("layers", name, "fills_from", index)
            others = config.layers.keys() - {name}
            if below == name:
                yield loc, "expected another layer: no layer is filled from itself"
            elif below not in others:
                yield loc, f"no such entry in layers{did_you_mean(below, others)}"
