"""A parameter count without a model: the classic rule, and what real models make of it."""

from dataclasses import dataclass
from functools import cache

from calculators.common import usual_formats
from calculators.common.subject import Subject, subjects
from calculators.kit import Note, Notes
from calculators.kit.units import BITS, write
from calculators.maths.packing import CannotPack, Recipe, checkpoint
from calculators.maths.tensors import Architecture, Tensor

SAME_SIZE = 0.2  # models within this share of a parameter count are "of that size"
NOT_COUNTED = "For models whose tensors are counted; a bare count has the wider range above."
WHY = "The rule assumes that every weight is quantized alike; real models keep some in 16 bits."
WHY_GGUF = "The rule gives every weight the type's own bits; real files mix in larger types."


@dataclass(frozen=True)
class Estimate:
    """`rule` is parameters x `bits` / 8, `low` to `high` what real models of that size come to."""

    bits: float
    rule: float
    low: float | None
    high: float | None
    why: str
    notes: Notes


def estimate(params: int, recipe: Recipe) -> Estimate:
    """Bytes of so many parameters in the format of the recipe."""
    bits = ideal_bits(recipe)
    rule = params * bits / BITS
    near = _real_ratios(params, recipe)
    low, high = (rule * end for end in (near[0][0], near[-1][0])) if near else (None, None)
    why = WHY_GGUF if recipe.settings.family == "llama_cpp" else WHY
    return Estimate(bits, rule, low, high, why, _notes(near, rule))


@cache
def ideal_bits(recipe: Recipe) -> float:
    """Bits per weight of a model whose every weight is quantized, scales included."""
    width = 16384  # a multiple of every group and block there is
    matrix = Tensor("model.layers.{}.mlp.up_proj.weight", (width, width), "mlp", layers=(0,))
    model = Architecture("llama", width, width, True, "bfloat16", (), (matrix,))
    packed = checkpoint(model, recipe)
    return packed.quantized_bits_per_weight or packed.bits_per_weight


def _real_ratios(params: int, recipe: Recipe) -> list[tuple[float, str]]:
    """What real models of about this size weigh against the rule, as sorted (ratio, name)."""
    near = (
        (_ratio(known, recipe), known.name)
        for known in subjects()
        if abs(known.architecture.parameters / params - 1) <= SAME_SIZE
    )
    return sorted((ratio, name) for ratio, name in near if ratio is not None)


@cache
def _ratio(known: Subject, recipe: Recipe) -> float | None:
    if usual_formats.is_usual(recipe):
        weight = usual_formats.weight(known, recipe)
        return weight and BITS * weight.tensor_bytes / weight.parameters / ideal_bits(recipe)
    try:
        packed = checkpoint(known.architecture, recipe)
    except CannotPack:
        return None
    return packed.bits_per_weight / ideal_bits(recipe)


def _notes(near: list[tuple[float, str]], rule: float) -> Notes:
    if not near:
        return Notes((Note("No model of the catalogue has about this size.", "info"),))
    (low, light), (high, heavy) = near[0], near[-1]
    return Notes(
        (
            Note(
                f"Real models of about this size come to {write(low * rule, 'bytes')} ({light}) "
                f"up to {write(high * rule, 'bytes')} ({heavy}), scaled to your count: embeddings, "
                "heads and other tensors get more bits than the rest. Pick the model to have its "
                "tensors counted."
            ),
        )
    )
