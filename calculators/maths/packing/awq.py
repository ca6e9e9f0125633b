"""AutoAWQ's GEMM layout.

casper-hansen/AutoAWQ:awq/modules/linear/gemm.py@88e4c76b20755db275574e6a03c83c84ba3bece5
"""

from dataclasses import replace

from calculators.maths.packing.assembly import CannotPack, Part, Stored, packer
from calculators.maths.packing.layout import Row
from calculators.maths.packing.model import Checkpoint
from calculators.maths.packing.recipe import Recipe
from calculators.maths.tensors import Architecture

PER_WORD = 8  # weights of 4 bits in an int32

# Before casper-hansen/AutoAWQ#644 (a28c747, 2024-11-14) a tied head was written a second time.
DISCARDS_TIED_SINCE = "2024-11"
LATEST = "9999-12"
# The month of the widely used files of families that were out before that; seen in the published
# counts of Qwen2.5 1.5B and 3B.
PUBLISHED = {
    "cohere": "2024-04",
    "falcon": "2023-10",
    "gemma": "2024-03",
    "gemma2": "2024-07",
    "mpt": "2023-10",
    "qwen2": "2024-09",
    "qwen2_vl": "2024-09",
    "starcoder2": "2024-03",
}


def store(row: Row, recipe: Recipe) -> Stored:
    """Packed along the outputs; zeros are written also when the quantization is symmetric."""
    group = row.columns if recipe.group_size == -1 else recipe.group_size
    if row.columns % group or row.rows % PER_WORD:
        raise CannotPack(
            f"AutoAWQ refuses {row.tensor.name} [{row.rows}, {row.columns}]: "
            f"{group} must divide its inputs and {PER_WORD} its outputs"
        )
    groups = row.columns // group
    return Stored(
        f"int4 g{group}",
        (
            Part("qweight", "I32", (row.columns, row.rows // PER_WORD)),
            Part("qzeros", "I32", (groups, row.rows // PER_WORD)),
            Part("scales", "F16", (groups, row.rows)),
        ),
    )


_pack = packer(store)


def pack(architecture: Architecture, recipe: Recipe) -> Checkpoint:
    """Raises CannotPack where AutoAWQ refuses a matrix."""
    return _pack(architecture, as_made(architecture, recipe))


def as_made(architecture: Architecture, recipe: Recipe) -> Recipe:
    """With the tied head copied, if the AutoAWQ that made the file did so (`built`)."""
    built = recipe.built or PUBLISHED.get(architecture.model_type, LATEST)
    return replace(recipe, head="copied") if built < DISCARDS_TIED_SINCE else recipe
