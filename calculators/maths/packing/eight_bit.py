"""FP8 and INT8 weights with a scale per matrix, per output channel or per block of 128 x 128.

vllm-project/compressed-tensors:src/compressed_tensors/quantization/lifecycle/initialize.py
@ac8e2ba82f4e0d5eaa40069f8fc642738f124cd4; per block as DeepSeek V3 is published.
"""

from math import ceil

from calculators.maths.packing.assembly import CODES, Assign, Part, Stored, assemble
from calculators.maths.packing.layout import Row, layout
from calculators.maths.packing.model import Checkpoint
from calculators.maths.packing.recipe import Recipe
from calculators.maths.tensors import Architecture

BLOCK = 128


def per_tensor(row: Row, recipe: Recipe) -> Stored:
    """One float32 for the weights and one for the activations."""
    weight = _weight(row, recipe)
    scales = (Part("weight_scale", "F32", ()), Part("input_scale", "F32", ()))
    return Stored(f"{_name(recipe)} per tensor", (weight, *scales))


def weights_only(row: Row, recipe: Recipe) -> Stored:
    """One float32 for the weights; activations are scaled at run time."""
    parts = (_weight(row, recipe), Part("weight_scale", "F32", ()))
    return Stored(f"{_name(recipe)} per tensor", parts)


def per_row(row: Row, recipe: Recipe) -> Stored:
    """A float32 for every row."""
    parts = (_weight(row, recipe), Part("weight_scale", "F32", (row.rows, 1)))
    return Stored(f"{_name(recipe)} per row", parts)


def per_block(row: Row, recipe: Recipe) -> Stored:
    """A float32 for every block, the ragged ones at the edges included."""
    blocks = (ceil(row.rows / BLOCK), ceil(row.columns / BLOCK))
    parts = (_weight(row, recipe), Part("weight_scale_inv", "F32", blocks))
    return Stored(f"{_name(recipe)} {BLOCK}x{BLOCK}", parts)


def pack(architecture: Architecture, recipe: Recipe) -> Checkpoint:
    """The format's row says which scales."""
    kept = layout(architecture).named(recipe.keeps)
    scale = CODES.get(recipe.dtype or architecture.dtype, "BF16")

    def per_channel(row: Row, recipe: Recipe) -> Stored:
        parts = (_weight(row, recipe), Part("weight_scale", scale, (row.rows, 1)))
        return Stored(f"{_name(recipe)} per channel", parts)

    stores = {"tensor": per_tensor, "channel": per_channel, "block": per_block}
    store = stores[recipe.settings.options["scales"]]
    assign: Assign = lambda tensor: None if kept(tensor) else store
    return assemble(architecture, recipe, assign)


def _weight(row: Row, recipe: Recipe) -> Part:
    return Part("weight", _code(recipe), (row.rows, row.columns))


def _name(recipe: Recipe) -> str:
    return "int8" if _code(recipe) == "I8" else "fp8"


def _code(recipe: Recipe) -> str:
    """FP8 where a publisher's config was read, and no format of our own."""
    return str(recipe.settings.options.get("weight", "F8_E4M3"))
