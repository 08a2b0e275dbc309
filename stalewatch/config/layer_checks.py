"""Whether layers name what there is, and promise what can be meant."""

from collections.abc import Iterator

from stalewatch.config.model import Accepts, Config, Layer
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
            elif name in _all_below(config, below):
                yield loc, f"expected no circle: {below} is filled from {name} in its turn"
        yield from _acceptance_faults(name, layer)


def _all_below(config: Config, name: str) -> set[str]:
    """Every layer that a layer is filled from, by way of others too."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        layer = config.layers.get(waiting.pop())
        new = set(layer.fills_from) - found if layer else set()
        found |= new
        waiting += new
    return found


def _acceptance_faults(name: str, layer: Layer) -> Iterator[tuple[Loc, str]]:
    """Two numbers for one promise, or less that is accepted when things are worse."""
    least = layer.max_staleness
    for field, info in Accepts.model_fields.items():
        given, condition = getattr(layer.accepts, field), info.alias or field
        loc = ("layers", name, "accepts", condition)
        if given is not None and condition == "normal" and given != least:
            yield loc, f"expected the layer's max_staleness of {least}, by which reads are judged"
        elif given is not None and given < least:
            yield loc, f"expected at least what is accepted in normal times, which is {least}"
