"""How a publisher packed a model, as read from its config: the words that the readers share."""

from collections.abc import Callable
from dataclasses import dataclass

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
