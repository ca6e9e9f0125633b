"""A model, or a parameter count, in many formats: bytes by format, remembered between keystrokes."""

from collections.abc import Mapping
from functools import lru_cache

from calculators.common import usual_formats
from calculators.common.estimate import ideal_bits
from calculators.common.recipes import packed_as
from calculators.common.stand_in import stand_in
from calculators.common.subject import Subject
from calculators.kit.units import BITS
from calculators.maths.packing import Checkpoint, Recipe
from calculators.maths.tensors import Architecture
from calculators.maths.traffic import Work, work

BF16 = Recipe.of("bf16")
Of = Subject | int  # a model, or a bare count of parameters


def model(of: Of) -> Architecture:
    """The model's tensors; for a count those of a Llama of that size."""
    return stand_in(of) if isinstance(of, int) else of.architecture


def name(of: Of) -> str:
    """The model's name, or the count in words."""
    return f"{of / 1e9:,.4g}B parameters" if isinstance(of, int) else of.name


@lru_cache(maxsize=64)
def parameters(of: Of) -> int:
    """All of them, whether a token uses them or not."""
    return of if isinstance(of, int) else usual_formats.weights(of)[BF16].parameters


@lru_cache(maxsize=512)
def packed(of: Of, recipe: Recipe) -> Checkpoint:
    """The packed model, or a count's stand-in. Raises Refused beside the model's field."""
    return packed_as(model(of), recipe)


def weight_bytes(of: Of, recipe: Recipe) -> int:
    """Counted for a model; for a bare count the rule `parameters x bits / 8`."""
    if isinstance(of, int):
        return round(of * ideal_bits(recipe) / BITS)
    known = every_format(of).get(recipe)
    return packed(of, recipe).tensor_bytes if known is None else known


@lru_cache(maxsize=16)
def every_format(of: Of) -> Mapping[Recipe, int]:
    """Bytes of every usual recipe but those whose tool refuses the model."""
    if isinstance(of, int):
        return {recipe: weight_bytes(of, recipe) for recipe in usual_formats.recipes()}
    return {recipe: size for recipe, size, _ in usual_formats.sizes(of)}


@lru_cache(maxsize=1024)
def step(of: Of, recipe: Recipe, context: int) -> Work:
    """What one decoding step reads at a context."""
    return work(model(of), packed(of, recipe), context)
