"""Which block type each tensor of a GGUF file gets: the mix behind names like Q4_K_M.

Source: ggml-org/llama.cpp:src/llama-quant.cpp@007dbbf3 (`llama_tensor_get_type_impl`,
`tensor_type_fallback`). The rules are written here as tables: for a category and a file type the
first condition that holds names the block type; where none holds, the file type's default stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from calculators.maths.packing.gguf_types import BLOCK_TYPES, DEFAULT_TYPE, CannotQuantize

# ggml-org/llama.cpp#4872, merged 2024-01-11: shares of the layers, where it had been 2 or 4 layers
# (seen in the exact bytes of TheBloke's CodeLlama and Yi files of 2023), a smaller Q2_K (but for
# grouped values, which had been Q3_K: seen in his Mistral, Yi and DeepSeek Coder files), and rules
# for experts, which had none; their routers had been left in 16 bits.
MIX_SINCE = "2024-01"

Category = Literal[
    "output",
    "embedding",
    "value",
    "fused",
    "latent",
    "key",
    "query",
    "attention_output",
    "down",
    "gate",
    "up",
    "other",
]


@dataclass(frozen=True, slots=True)
class Traits:
    """What the rules ask about the model and the run."""

    query_heads_per_key_value_head: int  # of layer 0; 0 where that has no attention
    experts: int
    is_70b: bool
    falcon: bool = False
    imatrix: bool = False
    mix_of_2023: bool = False  # before ggml-org/llama.cpp#4872 (2024-01-11)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor stands: the `index`-th of `count`, as the rules of its category count."""

    index: int
    count: int
    traits: Traits


Condition = Callable[[Place], bool]
Rules = tuple[tuple[Condition, str], ...]


def _first(count: int) -> Condition:
    return lambda place: place.index < count


def _more_bits(place: Place) -> bool:
    """The first and last eighth, and every third between."""
    eighth = place.count // 8
    return (
        place.index < eighth
        or place.index >= 7 * place.count // 8
        or (place.index - eighth) % 3 == 2
    )


def _early_of_q3_k_m(place: Place) -> bool:
    """A sixteenth of the layers; in 2023 two, whatever their number."""
    return place.index < (2 if place.traits.mix_of_2023 else place.count // 16)


def _early_of_q4_k_s(place: Place) -> bool:
    """An eighth of the layers; in 2023 four, whatever their number."""
    return place.index < (4 if place.traits.mix_of_2023 else place.count // 8)


def _more_bits_of_eight_experts(place: Place) -> bool:
    return _first_eighth(place) or (_eight_experts(place) and _more_bits(place))


_always: Condition = lambda place: True
_first_eighth: Condition = lambda place: place.index < place.count // 8
_first_sixteenth: Condition = lambda place: place.index < place.count // 16
_middle: Condition = lambda p: p.count // 8 <= p.index < 7 * p.count // 8
_grouped: Condition = lambda place: place.traits.query_heads_per_key_value_head >= 4
_grouped_or_experts: Condition = lambda place: _grouped(place) or place.traits.experts >= 4
_eight_experts: Condition = lambda place: place.traits.experts == 8
# ggml-org/llama.cpp#4906, merged 2024-01-13, gave the output projection its rule.
_eight_experts_output: Condition = lambda p: _eight_experts(p) and not p.traits.mix_of_2023
_other_experts: Condition = lambda place: not _eight_experts_output(place)
_imatrix: Condition = lambda place: place.traits.imatrix
_imatrix_early: Condition = lambda place: place.traits.imatrix and _first_eighth(place)
_plain_early: Condition = lambda place: not place.traits.imatrix and _first_eighth(place)
_plain: Condition = lambda place: not place.traits.imatrix
_of_2023: Condition = lambda place: place.traits.mix_of_2023
_falcon: Condition = lambda place: place.traits.falcon
_falcon_more_bits: Condition = lambda place: place.traits.falcon and _more_bits(place)
_falcon_early: Condition = lambda place: place.traits.falcon and _first_sixteenth(place)
_falcon_late: Condition = lambda place: place.traits.falcon and not _more_bits(place)

# File types with rules of their own; their attention and feed-forward see no other rule.
LOW_BIT = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"})
_LOWEST = ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS")
_LOW = ("IQ2_S", "IQ2_M")
_FIVE_BITS_FOR_EIGHT = ("Q3_K_S", "Q4_K_S", "Q4_K_M", "IQ3_XS", "IQ3_S", "IQ4_NL", "IQ4_XS")


def _each(names: tuple[str, ...], *rules: tuple[Condition, str]) -> dict[str, Rules]:
    return dict.fromkeys(names, rules)


_VALUE: dict[str, Rules] = {
    **_each(_LOWEST, (_grouped_or_experts, "Q4_K"), (_always, "Q2_K")),
    **_each(_LOW, (_grouped_or_experts, "Q4_K"), (_always, "IQ3_S")),
    "Q2_K": ((_of_2023, "Q3_K"), (_grouped, "Q4_K"), (_always, "Q3_K")),
    "Q2_K_S": ((_grouped, "Q4_K"),),
    "IQ3_XXS": ((_grouped, "Q4_K"), (_imatrix, "IQ3_XXS"), (_always, "IQ3_S")),
    **_each(("IQ3_XS", "IQ3_S"), (_grouped, "Q4_K")),
    "IQ3_M": ((_always, "Q4_K"),),
    "Q3_K_M": ((_first(2), "Q5_K"), (_always, "Q4_K")),
    "Q3_K_L": ((_always, "Q5_K"),),
    **_each(("IQ4_NL", "IQ4_XS"), (_grouped, "Q5_K")),
    **_each(("Q4_K_M", "Q5_K_M"), (_more_bits, "Q6_K")),
    "Q4_K_S": ((_first(4), "Q5_K"),),
}

# Only before the refactoring of 2026-03; since then a fused projection follows the value's rules,
# and so does the latent attention's ("latent", which had no rule).
_FUSED: dict[str, Rules] = {
    **_each(("Q3_K_M", "Q3_K_L", "IQ3_M"), (_always, "Q4_K")),
    "Q4_K_M": ((_always, "Q5_K"),),
    "Q5_K_M": ((_always, "Q6_K"),),
}

_KEY: dict[str, Rules] = {
    **_each(tuple(LOW_BIT), (_eight_experts, "Q4_K")),
    "IQ3_XS": ((_always, "IQ3_XXS"),),
    "IQ3_XXS": ((_always, "IQ2_S"),),
}

_QUERY: dict[str, Rules] = {
    "IQ3_XS": ((_always, "IQ3_XXS"),),
    "IQ3_XXS": ((_always, "IQ2_S"),),
}

_DOWN: dict[str, Rules] = {
    **_each(_LOWEST, (_first_eighth, "Q2_K")),
    **_each(_LOW, (_first_eighth, "IQ3_S")),
    "Q2_K": ((_always, "Q3_K"),),
    "Q2_K_S": ((_first_eighth, "Q4_K"),),
    "IQ3_XXS": ((_plain_early, "Q4_K"), (_plain, "Q3_K")),
    "Q3_K_M": (
        (_early_of_q3_k_m, "Q5_K"),
        (_falcon_late, "Q3_K"),
        (_always, "Q4_K"),
    ),
    "IQ3_M": ((_more_bits_of_eight_experts, "Q4_K"),),
    "Q3_K_L": ((_falcon, "Q4_K"), (_always, "Q5_K")),
    "Q4_K_M": (
        (_falcon_early, "Q6_K"),
        (_falcon_more_bits, "Q5_K"),
        (_falcon, "Q4_K"),
        (_more_bits, "Q6_K"),
    ),
    **_each(("IQ4_NL", "IQ4_XS"), (_plain_early, "Q5_K")),
    "Q5_K_M": ((_more_bits, "Q6_K"),),
    "Q4_K_S": ((_falcon, "Q4_K"), (_early_of_q4_k_s, "Q5_K")),
    "Q4_0": ((_imatrix_early, "Q4_1"),),
    "Q5_0": ((_imatrix_early, "Q5_1"),),
}

_ATTENTION_OUTPUT: dict[str, Rules] = {
    **_each(("IQ1_S", "IQ1_M"), (_eight_experts_output, "Q5_K"), (_always, "IQ2_XXS")),
    **_each(("IQ2_XXS", "IQ2_XS"), (_eight_experts_output, "Q5_K")),
    **_each(_LOW, (_eight_experts_output, "Q5_K"), (_always, "IQ3_S")),
    **_each(_FIVE_BITS_FOR_EIGHT, (_falcon, "default"), (_eight_experts_output, "Q5_K")),
    "Q2_K": ((_falcon, "default"), (_eight_experts_output, "Q5_K"), (_always, "Q3_K")),
    "IQ3_XXS": ((_falcon, "default"), (_eight_experts_output, "Q5_K"), (_always, "IQ3_S")),
    "Q3_K_M": ((_falcon, "default"), (_eight_experts_output, "Q5_K"), (_always, "Q4_K")),
    "Q3_K_L": ((_falcon, "Q4_K"), (_other_experts, "Q5_K")),
    "IQ3_M": ((_falcon, "default"), (_eight_experts_output, "Q5_K"), (_always, "Q4_K")),
}

_GATE_OR_UP: dict[str, Rules] = {
    "IQ3_XS": ((_middle, "IQ3_XXS"),),
    "Q2_K": ((_of_2023, "Q3_K"),),
}

_EMBEDDING: dict[str, Rules] = {
    **_each(_LOWEST, (_always, "Q2_K")),
    **_each((*_LOW, "IQ3_XXS"), (_always, "IQ3_S")),
    **_each(("TQ1_0", "TQ2_0", "Q2_0"), (_always, "Q4_K")),
}

_RULES: dict[Category, dict[str, Rules]] = {
    "embedding": _EMBEDDING,
    "value": _VALUE,
    "fused": _FUSED,
    "key": _KEY,
    "query": _QUERY,
    "attention_output": _ATTENTION_OUTPUT,
    "down": _DOWN,
    "gate": _GATE_OR_UP,
    "up": _GATE_OR_UP,
}

# What stands in where a row is no whole number of blocks of 256 (or 64).
_FALLBACK = {
    **dict.fromkeys(
        ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"
    ),
    **dict.fromkeys(("Q2_0", "Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}


def positional(category: Category, file_type: str) -> bool:
    """The type may differ from layer to layer."""
    return category in ("value", "down", "gate", "up") and file_type in _RULES[category]


def mixed(category: Category, file_type: str, place: Place, columns: int, stacked: bool) -> str:
    """The block type of a tensor that may be quantized, whose rows have `columns` elements.

    Raises `CannotQuantize` where rows do not divide into blocks and nothing stands in.
    """
    if not BLOCK_TYPES[DEFAULT_TYPE[file_type]].quantized:
        return DEFAULT_TYPE[file_type]
    if category == "output":
        chosen = _output(file_type, columns, place.traits)
    elif file_type == "MXFP4_MOE":
        chosen = "MXFP4" if stacked else "Q8_0"
    else:
        chosen = by_rule(category, file_type, place)
    return fitting(chosen, columns)


def fitting(chosen: str, columns: int) -> str:
    """`chosen`, or what llama-quantize takes in its place for rows that do not divide."""
    if BLOCK_TYPES[chosen].fits(columns):
        return chosen
    stand_in = _FALLBACK.get(chosen)
    if stand_in is None:
        raise CannotQuantize(f"rows of {columns} elements do not divide into {chosen} blocks")
    return stand_in if BLOCK_TYPES[stand_in].fits(columns) else "F16"


def _output(file_type: str, columns: int, traits: Traits) -> str:
    """The head, or the embedding that serves as one."""
    default = BLOCK_TYPES[DEFAULT_TYPE[file_type]]
    if file_type == "MXFP4_MOE" or traits.falcon or not default.fits(columns):
        return "Q8_0"
    if file_type in LOW_BIT or file_type == "IQ3_XXS":
        return "Q5_K"
    return "Q8_0" if default.name == "Q8_0" else "Q6_K"


def by_rule(category: Category, file_type: str, place: Place) -> str:
    """What the tables say, before rows are measured against blocks. Not for the head."""
    chosen = "default"
    for condition, block_type in _RULES.get(category, {}).get(file_type, ()):
        if condition(place):
            chosen = block_type
            break
    return _raised(category, file_type, chosen, place.traits)


def along(category: Category, file_type: str, count: int, length: int, traits: Traits) -> list[str]:
    """`by_rule` for the first `length` places of `count`, rule by rule."""
    chosen = ["default"] * length
    for condition, block_type in reversed(_RULES[category][file_type]):
        held = _held(condition, count, length, traits)
        chosen = [block_type if yes else old for yes, old in zip(held, chosen, strict=True)]
    types = {name: _raised(category, file_type, name, traits) for name in set(chosen)}
    return [types[name] for name in chosen]


@lru_cache(maxsize=256)
def _held(condition: Condition, count: int, length: int, traits: Traits) -> tuple[bool, ...]:
    """Where a condition holds; many file types ask the same ones."""
    return tuple(bool(condition(Place(index, count, traits))) for index in range(length))


def _raised(category: Category, file_type: str, chosen: str, traits: Traits) -> str:
    """The file type's default, and what some models get in place of a type."""
    if chosen == "default":
        chosen = DEFAULT_TYPE[file_type]
    if file_type in LOW_BIT:
        return chosen
    if category == "value" and traits.is_70b and chosen in ("Q3_K", "Q4_K"):
        chosen = "Q5_K"
    if category in ("value", "key") and traits.experts == 8:
        chosen = "Q8_0"
    return chosen
