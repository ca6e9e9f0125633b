"""Published EXL2, EXL3, HQQ and MLX: one rule packs the whole model."""

from collections.abc import Callable, Mapping
from typing import Any

from calculators.maths.packing import exl2, exl3, hqq, mlx
from calculators.maths.packing.model import Checkpoint
from calculators.maths.packing.recipe import Recipe
from calculators.maths.packing.ways import UnknownQuantization, recipe_of
from calculators.maths.tensors import Architecture

Config = Mapping[str, Any]
PACKS: dict[str, Callable[[Architecture, Recipe], Checkpoint]] = {
    "exl2": exl2.pack,
    "exl3": exl3.pack,
    "hqq": hqq.pack,
    "mlx": mlx.pack,
}
# What mlx-lm packs otherwise of itself: routers (see `mlx`)
MLX_ROUTERS = ("gate", "router", "shared_expert_gate")


def whole(config: Config) -> Recipe | None:
    """The recipe of such a `quantization_config`, None for any other; one of these with settings
    that are not known raises UnknownQuantization.
    """
    method = config.get("quant_method")
    if method in ("exl2", "exl3"):
        return recipe_of(method, bpw=config.get("bits"), head_bits=config.get("head_bits", 6))
    if method == "hqq":
        return _hqq(config)
    if method is None and {"bits", "group_size"} <= config.keys():
        return _mlx(config)
    return None


def _hqq(config: Config) -> Recipe:
    settings = config.get("quant_config")
    weights = settings.get("weight_quant_params") if isinstance(settings, Mapping) else None
    if not isinstance(weights, Mapping):
        raise UnknownQuantization("hqq: the key quant_config.weight_quant_params is missing")
    group = weights.get("group_size") or -1
    return recipe_of("hqq", bits=weights.get("nbits"), group_size=group)


def _mlx(config: Config) -> Recipe:
    """mlx-lm writes no method; modules with settings of their own stand beside the usual ones.

    Where none stands there the routers are packed as the rest is, as older tools did.
    """
    mode = config.get("mode", "affine")
    if mode != "affine":
        raise UnknownQuantization(f"mlx mode {mode!r} is not known here")
    own = [
        name
        for name, settings in config.items()
        if isinstance(settings, Mapping) or settings is False
    ]
    for name in own:
        if name.rpartition(".")[2] not in MLX_ROUTERS:
            raise UnknownQuantization(f"mlx: {name[:80]!r} has settings of its own")
    built = {} if own else {"built": mlx.BEFORE_ANY_ASKS}
    return recipe_of("mlx", bits=config.get("bits"), group_size=config.get("group_size"), **built)
