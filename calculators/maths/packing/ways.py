"""How a publisher packed a model, as read from its config: the words that the readers share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from calculators.maths.packing.assembly import Store
from calculators.maths.packing.recipe import Recipe

Choose = Callable[[str], Store | None]  # from a module's name to how it is packed
# eh_proj joins two streams in a prediction block, weights_proj weighs the heads of a sparse
# indexer; both are 16-bit in DeepSeek V3, V3.2 and GLM-5 (their published scale counts)
ALWAYS_KEPT = (
    *("embedding", "head", "router", "vision", "audio", "projector"),
    *("*.eh_proj.*", "*.weights_proj.*"),
)


class UnknownQuantization(ValueError):
    """A `quantization_config` that is not understood; the message names the key."""


@dataclass(frozen=True)
class Published:
    """`choose` says how a module is packed; what `keep` names stays whatever it says.

    `recipe`: the format whose own dtype and drops hold, where the method is a format of its own.
    """

    choose: Choose
    keep: tuple[str, ...] = ALWAYS_KEPT
    recipe: Recipe | None = None


def names(config: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    """The list of names under the first of these keys that has one."""
    for key in keys:
        listed = config.get(key)
        if listed:
            if not isinstance(listed, list | tuple) or not all(isinstance(n, str) for n in listed):
                raise UnknownQuantization(f"{key} is no list of names")
            return tuple(listed)
    return ()


def recipe_of(format: str, **settings: object) -> Recipe:
    """The recipe, or UnknownQuantization where the format has no such setting."""
    words = [f"format={format}"]
    for name, value in settings.items():
        text = ",".join(value) if isinstance(value, tuple) else str(value).lower()
        words.append(f"{name}={text}")
    try:
        return Recipe.parse("&".join(words))
    except ValueError as mistake:
        raise UnknownQuantization(f"quantization_config, {mistake}") from None
