"""A model as llama-quantize writes it: one GGUF file of mixed block types.

Source: ggml-org/llama.cpp:src/llama-quant.cpp@007dbbf3; the parts of the model in `gguf_layout`,
what all its files share in `gguf_contents`, the rules in `gguf_mix`, the header in `gguf_header`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from calculators.maths.packing.gguf_contents import Contents, Item, Sized, contents
from calculators.maths.packing.gguf_mix import (
    LOW_BIT,
    Category,
    Place,
    Traits,
    along,
    fitting,
    mixed,
    positional,
)
from calculators.maths.packing.gguf_types import NEEDS_IMATRIX, CannotQuantize, file_type_of
from calculators.maths.packing.model import Checkpoint
from calculators.maths.tensors import Architecture, Attention, Experts

LATEST = "9999-12"

# The month in which the widely used files of a family were made, where the rules have changed
# since. Every other family is packed by the latest rules.
PUBLISHED = {
    "bailing_moe_v2": "2025-10",
    "bloom": "2024-08",
    "chatglm": "2024-08",
    "deepseek_v2": "2024-06",
    "falcon": "2023-10",
    "gemma3n": "2025-07",
    "glm4_moe_lite": "2026-02",
    "gpt2": "2024-01",
    "gpt_bigcode": "2024-08",
    "gpt_neox": "2024-08",
    "mimo_v2_flash": "2026-01",
    "mpt": "2023-10",
    "nemotron_h": "2026-04",
    "phi3": "2024-05",
    "qwen": "2024-01",
    "qwen3_5": "2026-04",
    "qwen3_5_moe": "2026-04",
    "qwen3_next": "2025-12",
    "step3p5": "2026-02",
}

# `llm_type` 70B: ggml-org/llama.cpp:src/models/{llama,qwen2,qwen,olmo}.cpp, by 80 layers.
_70B_LAYERS = 80
_70B_IF_GROUPED = frozenset({"llama", "mistral"})
_70B_ALWAYS = frozenset({"qwen2", "qwen2_vl", "qwen2_5_vl", "qwen", "olmo"})

# Their GGUF states one number of key-value heads for all layers, though the first has none.
_ONE_HEAD_COUNT = frozenset({"qwen3_next", "qwen3_5", "qwen3_5_moe"})


def pack(
    architecture: Architecture,
    file_type: str,
    *,
    imatrix: bool | None = None,
    built: str | None = None,
    source_type: str | None = None,
) -> Checkpoint:
    """The one GGUF file of `file_type` ("Q4_K_M", any case) that holds the text model.

    `imatrix`: made with an importance matrix, which changes a few types; by default only where
    llama-quantize needs one. `built`: month (YYYY-MM) of the llama.cpp that made it; by default
    the one that made the widely used files. `source_type`: F16, BF16 or F32, the file it was made
    from, in which some matrices stay.

    Raises `CannotQuantize` where llama-quantize would refuse.
    """
    name, embedding_type = file_type_of(file_type)
    if imatrix is None:
        imatrix = name in NEEDS_IMATRIX
    elif name in NEEDS_IMATRIX and not imatrix:
        raise CannotQuantize(f"llama-quantize makes {name} only with an importance matrix")
    built = built or PUBLISHED.get(architecture.model_type, LATEST)
    held = contents(architecture, built)
    run = _Run(
        file_type=name,
        embedding_type=embedding_type,
        traits=_traits(architecture, imatrix, held.mix_of_2023),
        source_type=source_type or _source_type(name, architecture.dtype),
        contents=held,
    )
    by_place = _by_place(run)
    sized = [found for item in held.items for found in _pack(item, run, by_place)]
    header_bytes, basis = held.header
    return Checkpoint(
        parts=tuple(found.part for found in sized),
        parameters=held.parameters,
        header_bytes=header_bytes + sum(found.padding for found in sized),
        header_basis=basis,
    )


@dataclass(frozen=True)
class _Run:
    """One call of llama-quantize."""

    file_type: str
    embedding_type: str | None
    traits: Traits
    source_type: str
    contents: Contents


def _source_type(file_type: str, dtype: str) -> str:
    """Of the file that llama-quantize reads, as the converter writes it by default."""
    if file_type in ("F16", "BF16", "F32"):
        return file_type
    return {"bfloat16": "BF16", "float32": "F32"}.get(dtype, "F16")


def _traits(architecture: Architecture, imatrix: bool, mix_of_2023: bool) -> Traits:
    layers = architecture.layers
    counts = [
        block.count
        for layer in layers
        for block in layer.feed_forward
        if isinstance(block, Experts)
    ]
    return Traits(
        query_heads_per_key_value_head=_grouping(architecture),
        experts=max(counts, default=0),
        is_70b=_is_70b(architecture),
        falcon=architecture.model_type == "falcon",
        imatrix=imatrix,
        mix_of_2023=mix_of_2023,
    )


def _grouping(architecture: Architecture) -> int:
    """`n_gqa()`: of layer 0, 0 where that has no attention. Latent attention has one key head."""
    everywhere = architecture.model_type in _ONE_HEAD_COUNT
    layers = architecture.layers if everywhere else architecture.layers[:1]
    for layer in layers:
        for mixer in layer.mixers:
            if isinstance(mixer, Attention):
                heads = 1 if mixer.latent else mixer.key_value_heads
                return mixer.query_heads // heads
    return 0


def _is_70b(architecture: Architecture) -> bool:
    if len(architecture.layers) != _70B_LAYERS:
        return False
    grouped = architecture.model_type in _70B_IF_GROUPED and _grouping(architecture) > 1
    return grouped or architecture.model_type in _70B_ALWAYS


def _by_place(run: _Run) -> dict[Category, list[str]]:
    """The types that differ from layer to layer, by category and place.

    llama-quantize counts the tensors of a category as it meets them, layer by layer; with experts
    it takes the layer's number instead, except for value projections and the lowest types.
    """
    held = run.contents
    chosen = {}
    for group, met in held.counts.items():
        if met and positional(group, run.file_type):
            count = met + held.fused if group == "value" else held.layers
            length = max(met, held.layers)
            chosen[group] = along(group, run.file_type, count, length, run.traits)
    return chosen


def _pack(item: Item, run: _Run, by_place: dict[Category, list[str]]) -> Iterator[Sized]:
    """One row for each block type that the layers of this tensor get."""
    chosen = by_place.get(item.category)
    fixed = _fixed_type(item, run)
    if fixed or not chosen:
        yield run.contents.sized(item, fixed or _type_everywhere(item, run))
        return
    numbered = run.traits.experts > 1 and item.category != "value" and run.file_type not in LOW_BIT
    layers: dict[str, list[int]] = defaultdict(list)
    places = item.tensor.layers if numbered else item.places
    for layer, place in zip(item.tensor.layers, places, strict=True):
        layers[chosen[place]].append(layer)
    for name, found in layers.items():
        some = () if len(layers) == 1 else tuple(found)
        yield run.contents.sized(item, fitting(name, item.columns), some)


def _fixed_type(item: Item, run: _Run) -> str | None:
    """Where the mix has no say."""
    if item.fixed:
        return run.source_type if item.fixed == "source" else item.fixed
    if run.embedding_type and item.named in ("output", "embedding"):
        return fitting(run.embedding_type, item.columns)
    return None


def _type_everywhere(item: Item, run: _Run) -> str:
    place = Place(0, 1, run.traits)
    return mixed(item.category, run.file_type, place, item.columns, item.stacked)
