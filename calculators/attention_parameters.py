"""Attention of one layer and of all: query, key, value and output, whatever the kind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from calculators.common import dimensions
from calculators.common.counting import (
    Kind,
    layer_kinds,
    layer_notes,
    module,
    most_common,
    product,
    spelled,
    tensor_table,
)
from calculators.common.size import SIXTEEN_BIT_BYTES
from calculators.kit import (
    Breakdown,
    Column,
    Example,
    Figure,
    Notes,
    Page,
    Question,
    Refused,
    Segment,
    Shown,
    Source,
    Step,
    Table,
    Working,
    exact,
)
from calculators.maths.tensors import Attention, Tensor
from calculators.maths.tensors.blocks import attention

# The last word of a module's name -> what it does, and the tone of its colour.
ROLES = {
    "q_proj": ("Query", "attention"),
    "k_proj": ("Key", "kv"),
    "v_proj": ("Value", "state"),
    "o_proj": ("Output", "head"),
    "out_proj": ("Output", "head"),
    "c_proj": ("Output", "head"),
    "wo": ("Output", "head"),
    "dense": ("Output", "head"),
    "q_a_proj": ("Query, down to its rank", "attention"),
    "q_b_proj": ("Query, up to the heads", "embedding"),
    "kv_a_proj_with_mqa": ("Keys and values, down to their rank", "kv"),
    "kv_b_proj": ("Keys and values, up to the heads", "state"),
}


@dataclass(frozen=True)
class AttentionSize:
    """The matrices of attention."""

    attention_parameters: Annotated[
        Figure, Shown("Attention of one layer", "parameters", term="attention", lead=True)
    ]
    all_layers_parameters: Annotated[Figure, Shown("Of all layers", "parameters", lead=True)]
    share: Annotated[Figure | None, Shown("Share of the model", "fraction")]
    layer_bytes: Annotated[Figure, Shown("One layer in 16 bits", "bytes")]
    mha_parameters: Annotated[
        Figure | None,
        Shown(
            "With a key-value head for each query head",
            "parameters",
            "Multi-head attention of the same width, without biases.",
        ),
    ]
    saved: Annotated[Figure | None, Shown("Saved against that", "fraction")]
    cache_saved: Annotated[
        Figure | None,
        Shown("Saved of the KV cache", "fraction", "Elements for each token.", term="kv-cache"),
    ]
    notes: Annotated[Notes | None, Shown("Mind")]
    parts: Annotated[Breakdown, Shown("One layer's matrices")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    kinds: Annotated[Table | None, Shown("Kinds of layers")]
    tensors: Annotated[Table, Shown("Every tensor, by name pattern")]


def calculate(
    model: dimensions.ModelInput = None,
    hidden_size: dimensions.WidthInput = None,
    num_attention_heads: dimensions.HeadsInput = None,
    num_key_value_heads: dimensions.KeyValueHeadsInput = None,
    num_hidden_layers: dimensions.LayersInput = None,
    head_dim: dimensions.HeadDimInput = None,
    bias: dimensions.BiasInput = None,
) -> AttentionSize:
    """Query, key, value and output matrices of one attention layer, and what sharing heads saves.

    Query and output matrices have a row or column for each element of each query head. Key and value
    matrices have one for each key-value head: with grouped-query attention several query heads share
    one, which shrinks the matrices a little and the cache a lot. Multi-head latent attention (MLA)
    factors keys and values through a small rank instead. The matrices of a model are listed as its
    checkpoint stores them.
    """
    found = dimensions.counted(
        model,
        ("hidden_size",),
        hidden_size=hidden_size,
        num_attention_heads=num_attention_heads,
        num_key_value_heads=num_key_value_heads,
        num_hidden_layers=num_hidden_layers,
        head_dim=head_dim,
        bias=bias,
    )
    return _size(found)


def _is_attention(tensor: Tensor) -> bool:
    return tensor.kind == "attention" and tensor.part == "text"


def _size(found: dimensions.Counted) -> AttentionSize:
    kinds = layer_kinds(found.architecture, _is_attention)
    common = most_common(kinds)
    if common is None:
        raise Refused("This model has no attention layers that are counted here.", "model")
    tensors = tuple(filter(_is_attention, found.architecture.tensors))
    one = common.of("attention")
    whole = sum(tensor.parameters for tensor in tensors)
    shape = _shape(found, common)
    grouped = shape if shape and not shape.latent else None
    full = _multi_head(found.architecture.hidden_size, grouped) if grouped else None
    matrices = sum(tensor.elements for tensor in common.tensors if len(tensor.shape) == 2)
    return AttentionSize(
        attention_parameters=exact(one, "Matrices and biases; norms are counted as norms."),
        all_layers_parameters=exact(whole),
        share=exact(whole / found.architecture.parameters) if found.subject else None,
        layer_bytes=exact(SIXTEEN_BIT_BYTES * one),
        mha_parameters=exact(full) if full else None,
        saved=exact(1 - matrices / full) if full else None,
        cache_saved=_cache_saved(shape),
        notes=layer_notes(found, kinds, "have a recurrent mixer and no attention"),
        parts=Breakdown(tuple(_segments(common, grouped)), "parameters"),
        working=_working(found, common, grouped, full, whole),
        kinds=_table(kinds) if len(kinds) > 1 else None,
        tensors=tensor_table(tensors),
    )


def _shape(found: dimensions.Counted, kind: Kind) -> Attention | None:
    """Heads and widths of the attention in these layers; one that borrows a cache does not say."""
    mixers = found.architecture.layers[kind.layers[0]].mixers
    shapes = [mixer for mixer in mixers if isinstance(mixer, Attention)]
    return shapes[0] if shapes and shapes[0].shares_cache_of is None else None


def _multi_head(hidden: int, shape: Attention) -> int:
    """Parameters of the same attention with a key and a value head for each query head."""
    return 2 * hidden * shape.query_heads * (shape.head_dim + shape.value_head_dim)


def _cache_saved(shape: Attention | None) -> Figure | None:
    if shape is None:
        return None
    every = shape.query_heads * (shape.head_dim + shape.value_head_dim)
    if shape.latent:
        kept = shape.latent.kv_lora_rank + shape.latent.rope_head_dim
    else:
        kept = shape.key_value_heads * (shape.head_dim + shape.value_head_dim)
    return exact(1 - kept / every, f"{kept:,} elements for each token instead of {every:,}.")


def _role(tensor: Tensor) -> tuple[str, str]:
    name = module(tensor)
    return ROLES.get(name, (name, "other"))


def _segments(kind: Kind, shape: Attention | None) -> Iterable[Segment]:
    sizes: Counter[tuple[str, str]] = Counter()
    for tensor in kind.tensors:
        for role, count in _split(tensor, shape):
            sizes[role] += count
    return (Segment(label, count, tone) for (label, tone), count in sizes.items())


def _split(tensor: Tensor, shape: Attention | None) -> Iterable[tuple[tuple[str, str], int]]:
    """What the tensor holds; query, key and value apart where one tensor holds all three."""
    role = _role(tensor)
    if shape and role[1] == "other":
        rows = (
            (ROLES["q_proj"], shape.query_heads * shape.head_dim),
            (ROLES["k_proj"], shape.key_value_heads * shape.head_dim),
            (ROLES["v_proj"], shape.key_value_heads * shape.value_head_dim),
        )
        together = sum(count for _, count in rows)
        if tensor.shape[0] == together:
            return [(name, count * tensor.elements // together) for name, count in rows]
    return [(role, tensor.elements * tensor.copies)]


def _working(
    found: dimensions.Counted, kind: Kind, shape: Attention | None, full: int | None, whole: int
) -> Working:
    steps = [
        Step(_role(tensor)[0] + (" bias" if len(tensor.shape) == 1 else ""),
             product(tensor.shape), f"{tensor.elements:,}")
        for tensor in kind.tensors
    ]  # fmt: skip
    one = kind.of("attention")
    steps.append(Step("One layer", " + ".join(step.result for step in steps), f"{one:,}"))
    if len(kind.layers) > 1 and whole == one * len(kind.layers):
        steps.append(Step("All layers", f"{one:,} × {len(kind.layers)} layers", f"{whole:,}"))
    if shape and full:
        width = shape.head_dim + shape.value_head_dim
        text = f"2 × {found.architecture.hidden_size:,} × {shape.query_heads} heads × {width}"
        steps.append(Step("Multi-head", text, f"{full:,}"))
    return Working(tuple(steps))


def _table(kinds: tuple[Kind, ...]) -> Table:
    rows = tuple(
        (kind.text, len(kind.layers), kind.of("attention"), spelled(kind.tensors)) for kind in kinds
    )
    columns = (
        Column("Layers"),
        Column("How many", " "),
        Column("One layer", "parameters"),
        Column("Matrices"),
    )
    return Table(columns, rows)


PAGE = Page(
    title="Attention parameters",
    description="Parameters of attention: query, key, value and output matrices of one layer with "
    "grouped-query attention, latent attention, biases and any head width. One layer of Llama 3.1 "
    "8B has [[?model=meta-llama/Llama-3.1-8B#attention_parameters.also]].",
    group="Inside a model",
    order=62,
    keywords=("attention parameters", "QKV", "GQA", "MQA", "MLA", "multi-head attention"),
    how_to=(
        "Pick a model, or drop its config.json; or type width and heads.",
        "Leave the key-value heads empty for multi-head attention, type 1 for multi-query.",
        "Read the matrices of one layer, and what sharing heads saves in weights and in cache.",
    ),
    why=(
        "Head width times heads is not always the model's width: in Gemma 7B and in Qwen3 0.6B "
        "attention is wider than the stream it reads from.",
        "Grouped-query attention is bought for the cache: Llama 3.1 8B saves "
        "[[?model=meta-llama/Llama-3.1-8B#saved]] of the weights and "
        "[[?model=meta-llama/Llama-3.1-8B#cache_saved]] of the cache.",
    ),
    assumes=(
        "Counted are weights and biases of the projections. Norms on queries, keys and ranks are "
        "counted as norms, on the page of the [whole model](../parameter-count/).",
        "Multi-head attention, for comparison, keeps the width of a head and has no biases.",
        "Models whose layers differ show the most common layer and a table of the others.",
    ),
    examples=(
        Example(
            "Llama 3.1 8B, by its dimensions",
            "hidden_size=4096&num_attention_heads=32&num_key_value_heads=8&num_hidden_layers=32",
            {"attention_parameters": 41_943_040, "all_layers_parameters": 1_342_177_280},
        ),
        Example(
            "Llama 2 7B, multi-head",
            "model=meta-llama/Llama-2-7b-hf",
            {"attention_parameters": 4 * 4096 * 4096, "saved": 0},
        ),
        Example(
            "DeepSeek V3, latent",
            "model=deepseek-ai/DeepSeek-V3",
            {"attention_parameters": 187_105_280},
        ),
        Example(
            "Qwen2.5 7B, with biases",
            "model=Qwen/Qwen2.5-7B-Instruct",
            {"attention_parameters": 2 * 3584 * 3584 + 2 * 3584 * 512 + 3584 + 2 * 512},
        ),
        Example(
            "Multi-query",
            "hidden_size=4096&num_attention_heads=32&num_key_value_heads=1",
            {"attention_parameters": 2 * 4096 * 4096 + 2 * 4096 * 128},
        ),
    ),
    questions=(
        Question(
            "What is the formula?",
            "With width d, h query heads, k key-value heads and heads of width w: `d·h·w` each for "
            "query and output, `d·k·w` each for key and value, together `2·d·w·(h + k)`. With "
            "`h·w = d` and `k = h` that is the familiar `4·d²`.",
        ),
        Question(
            "How much does grouped-query attention save?",
            "Of the weights at most half, because query and output stay as they are: "
            "[[?model=meta-llama/Llama-3.1-8B#saved]] in Llama 3.1 8B. Of the KV cache it saves "
            "the share of heads that are gone, "
            "[[?model=meta-llama/Llama-3.1-8B#cache_saved]], and the cache is why it was done.",
        ),
        Question(
            "What is different in multi-head latent attention?",
            "Keys and values are made from one short vector, which is all that is cached. The model "
            "stores two thin matrices in place of a square one, so a layer of DeepSeek V3 with its "
            "128 heads has [[?model=deepseek-ai/DeepSeek-V3#attention_parameters]] and caches "
            "[[?model=deepseek-ai/DeepSeek-V3#cache_saved]] less than 128 full heads would.",
        ),
        Question(
            "Are biases worth counting?",
            "Not for size: with those of query, key and value a layer of Qwen2.5 7B has "
            "[[?model=Qwen/Qwen2.5-7B-Instruct#attention_parameters.also]], without them "
            "[[?hidden_size=3584&num_attention_heads=28&num_key_value_heads=4"
            "#attention_parameters.also]]. They matter for formats and kernels that expect none.",
        ),
        Question(
            "Why is attention such a small share?",
            "The feed-forward block is several times as wide as the stream and has two or three "
            "such matrices. In Llama 3.1 8B attention is "
            "[[?model=meta-llama/Llama-3.1-8B#share]] of all parameters; its cost grows with the "
            "context, in the cache and in operations, not in weights.",
        ),
    ),
    sources=(
        Source("Vaswani et al., Attention Is All You Need", "https://arxiv.org/abs/1706.03762"),
        Source(
            "Shazeer, Fast Transformer Decoding: One Write-Head is All You Need",
            "https://arxiv.org/abs/1911.02150",
            "multi-query attention",
        ),
        Source(
            "Ainslie et al., GQA: Training Generalized Multi-Query Transformer Models",
            "https://arxiv.org/abs/2305.13245",
        ),
        Source("DeepSeek-V2", "https://arxiv.org/abs/2405.04434", "latent attention, section 2.1"),
    ),
    code=(attention, _multi_head),
)
