"""What a visitor can take in place of a recipe that its tool refuses."""

from dataclasses import replace

from calculators.kit.units import write
from calculators.maths.packing import CannotPack, Recipe, checkpoint
from calculators.maths.tensors import Architecture

PER_CHANNEL = -1
# Other 4-bit formats, the nearest first: whole rows, ragged groups, blocks of their own
FORMATS = ("w4a16", "mlx", "gguf-q4_k_m", "mxfp4")

Offer = tuple[str, str, str]  # input, its text, what the button says


def instead(model: Architecture, recipe: Recipe) -> tuple[str, Offer | None]:
    """The nearest group size that the tool takes, with an offer of it; else another format."""
    for size in _group_sizes(recipe):
        total = _bytes(model, replace(recipe, group_size=size))
        if total:
            name = "One group per channel" if size == PER_CHANNEL else f"Group size {size}"
            said = f"{name} fits this model: {write(total, 'bytes').text}."
            return said, ("group_size", str(size), f"Take {name[0].lower()}{name[1:]}")
    for format in FORMATS if recipe.bits < 8 else ():
        other = Recipe.of(format)
        total = _bytes(model, other)
        if total and format != recipe.format:
            return f"{other.settings.name} can hold it: {write(total, 'bytes').text}.", None
    return "", None


def _group_sizes(recipe: Recipe) -> list[int]:
    """The other sizes of the format, the nearest first, whole rows last."""
    sizes = [size for size in recipe.settings.choices.get("group_size", ()) if size]
    others = [size for size in sizes if size != recipe.group_size]
    return sorted(others, key=lambda size: (size == PER_CHANNEL, abs(size - recipe.group_size)))


def _bytes(model: Architecture, recipe: Recipe) -> int | None:
    try:
        return checkpoint(model, recipe).tensor_bytes
    except CannotPack:
        return None
