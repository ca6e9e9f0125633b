"""MiniMax: M1 with lightning attention, M3 with an indexer that chooses blocks of keys.

Layouts: huggingface/transformers src/transformers/models/{minimax,minimax_m3_vl}.
"""

from dataclasses import replace

from calculators.maths.tensors import blocks, towers
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.frame import FULL
from calculators.maths.tensors.mixture import (
    NORMS,
    W1_W3_W2,
    Mixture,
    attention,
    dense_mlp,
    expert_shape,
    mixture,
    routed,
)
from calculators.maths.tensors.model import Architecture, Attention, Recurrent
from calculators.maths.tensors.moe import LOCAL
from calculators.maths.tensors.moe_shared import per_layer
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.towers import Tensors

MOE = "block_sparse_moe."


@family("minimax_m1", "minimax_text_01", "minimax")
def minimax_m1(outer: Config) -> Architecture:
    """Lightning attention where `attn_type_list` is 0, softmax attention where it is 1."""
    model = mixture(outer, "intermediate_size", head_dim=None)
    config = model.config
    if config.integer("shared_intermediate_size", default=0):
        raise UnknownArchitecture(f"{outer.model_type}: a shared expert is not known here")
    full = minimax_full(model)
    linear = [index for index in model.all if index not in full]
    shape = model.sizes.attention
    inner = shape.query_heads * shape.head_dim
    for name, rows, columns in (
        ("qkv_proj", 3 * inner, model.hidden),
        ("output_gate", inner, model.hidden),
        ("out_proj", model.hidden, inner),
    ):
        model.stack.linear(linear, f"self_attn.{name}", rows, columns, kind="recurrent")
    model.stack.norm(linear, "self_attn.norm", inner)
    model.mix(linear, Recurrent("lightning", 0, inner * shape.head_dim))
    attention(model, full)
    model.norms(model.all, *NORMS)
    experts = expert_shape(config, model.sizes.width, count=LOCAL)
    routed(model, model.all, experts, prefix=MOE, names=W1_W3_W2)
    return model.finish()


def minimax_full(model: Mixture) -> list[int]:
    """The layers with softmax attention: a list of 0 and 1, or of words."""
    types = model.config.strings("layer_types")
    if types and len(types) == model.count:
        return [index for index, kind in enumerate(types) if kind == FULL]
    model.config.require("attn_type_list")
    return [index for index, kind in enumerate(per_layer(model, "attn_type_list", 1)) if kind]


@family("minimax_m3_vl", "minimax_m3_vl_text", "minimax_m3")
def minimax_m3(outer: Config) -> Architecture:
    """Some layers with an indexer, most with experts, by lists of 0 and 1 or of words."""
    nested = outer.part("text_config") is not None
    prefix = "language_model.model." if nested else "model."
    needs = ("num_local_experts", "num_experts_per_tok", "intermediate_size")
    model = mixture(outer, *needs, prefix=prefix, head_dim=128)
    config = model.config
    sparse_attention = config.part("sparse_attention_config")
    indexed = flags(model, sparse_attention, "sparse_attention_freq", "layer_types")
    index = index_shape(config, sparse_attention)
    for chosen, layers in blocks.grouped(indexed).items():
        shape = model.sizes.attention
        if chosen:
            shape = replace(shape, index_head_dim=index.head_dim)
            indexer(model, layers, index)
        attention(model, layers, shape, norms="head")
    model.norms(model.all, *NORMS)
    routed_layers = flags(model, config, "moe_layer_freq", "mlp_layer_types", default=True)
    dense = [layer for layer in model.all if not routed_layers[layer]]
    if dense:
        dense_mlp(model, dense, config.positive("dense_intermediate_size", default=12288))
    width = config.positive("intermediate_size")
    shared = config.integer("shared_intermediate_size", default=3072)
    experts = expert_shape(config, width, count=LOCAL, shared_width=shared)
    sparse = [layer for layer in model.all if routed_layers[layer]]
    steer = "e_score_correction_bias"
    routed(model, sparse, experts, prefix=MOE, names=W1_W3_W2, correction=steer)
    head = "language_model.lm_head" if nested else "lm_head"
    return model.finish(tower(outer, model.hidden), head=head)


def flags(
    model: Mixture, source: Config | None, key: str, words: str, default: bool = False
) -> list[bool]:
    """Per layer, from a list of 0 and 1 in `source`, or of words in the text part."""
    numbers = source.integers(key) if source else ()
    named = model.config.strings(words)
    for values in (numbers, named):
        if values and len(values) != model.count:
            raise UnknownArchitecture(f"{len(values)} entries for {model.count} layers in {key}")
    if named:
        return [kind in ("sparse", "minimax_m3_sparse") for kind in named]
    return [bool(number) for number in numbers] or [default] * model.count


def index_shape(config: Config, nested: Config | None) -> Attention:
    """Heads of the indexer's queries; one key for all of them."""
    source = nested or config
    heads = source.positive("sparse_num_index_heads", "index_n_heads", default=4)
    width = source.positive("sparse_index_dim", "index_head_dim", default=128)
    return Attention(heads, 1, width, width)


def indexer(model: Mixture, layers: list[int], shape: Attention) -> None:
    """Queries and one key that score blocks of tokens, with a norm each."""
    stack, width = model.stack, shape.head_dim
    for name, heads in (("index_q", shape.query_heads), ("index_k", 1)):
        rows = heads * width
        stack.linear(layers, f"self_attn.{name}_proj", rows, model.hidden, kind="attention")
        stack.norm(layers, f"self_attn.{name}_norm", width)


def tower(outer: Config, text_hidden: int) -> Tensors:
    """M3's vision tower: a CLIP encoder on patches of two frames, then two projections."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    prefix = "vision_tower.vision_model."
    hidden = config.positive("hidden_size", default=1280)
    stack = towers.tower(f"{prefix}encoder.", "layers")
    layers = range(config.depth("num_hidden_layers", default=32))
    size = config.positive("patch_size", default=14)
    frames = config.positive("temporal_patch_size", default=2)
    kernel = (config.positive("num_channels", default=3), frames, size, size)
    name = f"{prefix}embeddings.patch_embedding"
    towers.embed_patches(stack, name, hidden, *kernel, bias=False)
    stack.norm(None, f"{prefix}pre_layrnorm", hidden, bias=True)
    shape = towers.heads_of(config, hidden, "num_attention_heads")
    names = ("q_proj", "k_proj", "v_proj", "out_proj")
    blocks.attention(stack, layers, hidden, shape, bias=True, names=names)
    width = config.positive("intermediate_size", default=5120)
    blocks.plain_mlp(stack, layers, hidden, width, bias=True, names=("fc1", "fc2"))
    blocks.layer_norms(stack, layers, hidden, "layer_norm1", "layer_norm2", bias=True)
    inner = outer.positive("projector_hidden_size", default=6144)
    parts = ("linear_1", "linear_2")
    towers.merge(stack, "multi_modal_projector.", (hidden, inner, text_hidden), parts=parts)
    merged = text_hidden * config.positive("spatial_merge_size", default=2) ** 2
    towers.merge(stack, "patch_merge_mlp.", (merged, inner, text_hidden), parts=parts)
    return stack.tensors()
