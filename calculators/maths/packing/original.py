"""The checkpoint as its publisher ships it, after the config's own `quantization_config`."""

from collections.abc import Callable
from dataclasses import replace

from calculators.maths.packing import awq
from calculators.maths.packing.assembly import Store, assemble
from calculators.maths.packing.layout import layout
from calculators.maths.packing.model import Checkpoint
from calculators.maths.packing.module_lists import names_layers
from calculators.maths.packing.published import read
from calculators.maths.packing.published_whole import PACKS, whole
from calculators.maths.packing.recipe import Recipe
from calculators.maths.packing.unquantized import pack as unquantized
from calculators.maths.tensors import Architecture, Tensor

Chosen = dict[tuple[str, tuple[int, ...]], Store | None]


def pack(architecture: Architecture, recipe: Recipe) -> Checkpoint:
    """Raises UnknownQuantization (a ValueError) for a method that is not known here."""
    config = architecture.quantization
    if not config:
        return unquantized(architecture, recipe)
    recipe_of_all = whole(config)
    if recipe_of_all:
        return PACKS[recipe_of_all.settings.family](architecture, recipe_of_all)
    published = read(config, architecture.model_type)
    split, chosen = _split(architecture, published.choose, names_layers(config))
    kept = layout(split).named((*published.keep, *recipe.keeps))

    def assign(tensor: Tensor) -> Store | None:
        return None if kept(tensor) else chosen[tensor.name, tensor.layers]

    made = published.recipe or recipe
    return assemble(
        split, awq.as_made(architecture, made) if made.format == "awq" else made, assign
    )


def _split(
    architecture: Architecture, choose: Callable[[str], Store | None], by_layer: bool
) -> tuple[Architecture, Chosen]:
    """Every tensor pattern cut into the layers that are packed alike, and how they are.

    Unless `by_layer`, all layers of a pattern are packed alike.
    """
    if not by_layer:
        return architecture, {
            (tensor.name, tensor.layers): choose(_module(tensor, next(iter(tensor.layers), None)))
            for tensor in architecture.tensors
        }
    tensors: list[Tensor] = []
    chosen: Chosen = {}
    for tensor in architecture.tensors:
        by_store: dict[Store | None, list[int]] = {}
        for layer in tensor.layers:
            store = choose(_module(tensor, layer))
            by_store.setdefault(store, []).append(layer)
        parts = by_store or {choose(_module(tensor, None)): []}
        for store, layers in parts.items():
            tensors.append(replace(tensor, layers=tuple(layers)))
            chosen[tensor.name, tuple(layers)] = store
    return replace(architecture, tensors=tuple(tensors)), chosen


def _module(tensor: Tensor, layer: int | None) -> str:
    """Name of the module in that layer; of many experts, the first."""
    name = tensor.name.removesuffix(".weight")
    if layer is not None:
        name = name.replace("{}", str(layer), 1)
    return name.replace("{}", "0")
