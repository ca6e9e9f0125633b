"""NVFP4 and MXFP4: two weights to a byte, an 8-bit scale to a group.

NVFP4: NVIDIA/Model-Optimizer:modelopt/torch/export/unified_export_hf.py
@a2fbac7bad8ab446d3f8783dadb0c3366eb0ad73 (compressed-tensors differs in names only).
MXFP4: openai/gpt-oss-20b, whose experts are stacked as `_blocks` and `_scales`.
"""

from calculators.maths.packing.assembly import CannotPack, Part, Stored, packer
from calculators.maths.packing.layout import Row
from calculators.maths.packing.recipe import Recipe


def nvfp4(row: Row, recipe: Recipe) -> Stored:
    """Groups of 16, with a float32 for the matrix and one for its activations."""
    parts = (*_blocks(row, 16, "F8_E4M3"), Part("weight_scale_2", "F32", ()))
    return Stored("nvfp4 g16", (*parts, Part("input_scale", "F32", ())))


def nvfp4_weights(row: Row, recipe: Recipe) -> Stored:
    """As `nvfp4`, the activations in 16 bits: no scale for them."""
    return Stored("nvfp4 g16", (*_blocks(row, 16, "F8_E4M3"), Part("weight_scale_2", "F32", ())))


def mxfp4(row: Row, recipe: Recipe) -> Stored:
    """Groups of 32, the scale a bare exponent."""
    return Stored("mxfp4 g32", _blocks(row, 32, "U8"), stacked=row.tensor.stacked)


def _blocks(row: Row, group: int, scale: str) -> tuple[Part, Part]:
    if row.columns % group:
        raise CannotPack(
            f"{row.tensor.name} [{row.rows}, {row.columns}]: "
            f"groups of {group} do not fit its inputs"
        )
    return (
        Part("weight", "U8", (row.rows, row.columns // 2)),
        Part("weight_scale", scale, (row.rows, row.columns // group)),
    )


def store(row: Row, recipe: Recipe) -> Stored:
    """By the group of the format."""
    return nvfp4(row, recipe) if recipe.group_size == 16 else mxfp4(row, recipe)


pack = packer(store)
