"""Decoders whose config gives a list of sizes, one for every layer.

Sources: modeling_openelm.py in apple/OpenELM-270M and modeling_decilm.py in Deci/DeciLM-7B; the
published counts of both repositories.
"""

from collections.abc import Sequence

from calculators.maths.tensors.blocks import (
    HeadNorms,
    attention,
    gated_mlp,
    grouped,
    layer_norms,
)
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.dense import LLAMA, framed, mlp_layers
from calculators.maths.tensors.frame import Frame
from calculators.maths.tensors.model import Architecture, Attention, Layer, Mlp
from calculators.maths.tensors.registry import family

FFN_MULTIPLIER_AT_MOST = 1_000.0


def one_each(config: Config, key: str, count: int) -> tuple[int, ...]:
    """The list of that name, of `count` whole numbers of at least 1."""
    config.require(key)
    found = config.integers(key)
    if len(found) != count:
        raise UnknownArchitecture(f"{config.path}{key} has {len(found)} entries for {count} layers")
    if 0 in found:
        raise UnknownArchitecture(f"{config.path}{key} holds 0")
    return found


@family("deci")
def deci(config: Config) -> Architecture:
    """DeciLM 7B: Llama with `num_key_value_heads_per_layer`."""
    frame = framed(Config({**config.data, "num_key_value_heads": None}), LLAMA)
    heads = one_each(config, "num_key_value_heads_per_layer", frame.count)
    whole = frame.attention
    shapes = [Attention(whole.query_heads, kv, whole.head_dim, whole.head_dim) for kv in heads]
    stack = frame.stack()
    for shape, alike in grouped(shapes).items():
        attention(stack, alike, frame.hidden, shape, bias=config.flag("attention_bias"))
    mlp_layers(frame, LLAMA, stack, range(frame.count))
    layer_norms(stack, range(frame.count), frame.hidden, *LLAMA.norms)
    return frame.architecture(stack, [Layer((one,), (Mlp(frame.width),)) for one in shapes])


OPENELM_KEYS = {
    "model_dim": "hidden_size",
    "num_transformer_layers": "num_hidden_layers",
    "max_context_length": "max_position_embeddings",
}


@family("openelm")
def openelm(config: Config) -> Architecture:
    """OpenELM: heads and widths by layer, query, key and value in one matrix, gate and up too."""
    config.require("num_query_heads", "num_kv_heads", "ffn_multipliers", "head_dim")
    tied = config.flag("share_input_output_layers", default=True)
    keys = {"num_attention_heads": 1, "tie_word_embeddings": tied}
    frame = Frame(Config({**config.renamed(OPENELM_KEYS).data, **keys}))
    count, head_dim = frame.count, config.positive("head_dim")
    queries = one_each(config, "num_query_heads", count)
    keyed = one_each(config, "num_kv_heads", count)
    shapes = [Attention(q, k, head_dim, head_dim) for q, k in zip(queries, keyed, strict=True)]
    widths = openelm_widths(config, frame)
    stack = frame.stack("transformer.", embedding="token_embeddings")
    norms: HeadNorms | None = "head" if config.flag("normalize_qk_projections") else None
    for shape, alike in grouped(shapes).items():
        attention(
            stack,
            alike,
            frame.hidden,
            shape,
            norms=norms,
            fused="qkv_proj",
            prefix="attn.",
            names=("", "", "", "out_proj"),
        )
    for width, alike in grouped(widths).items():
        names = ("", "", "proj_2")
        gated_mlp(stack, alike, frame.hidden, width, fused="proj_1", prefix="ffn.", names=names)
    layer_norms(stack, range(count), frame.hidden, "attn_norm", "ffn_norm")
    layers = [Layer((one,), (Mlp(width),)) for one, width in zip(shapes, widths, strict=True)]
    return frame.architecture(stack, layers)


def openelm_widths(config: Config, frame: Frame) -> Sequence[int]:
    """Multiplier times the hidden size, to the nearest multiple of `ffn_dim_divisor`, never more
    than a tenth below (make_divisible).
    """
    if not config.flag("ffn_with_glu", default=True):
        raise UnknownArchitecture("openelm without ffn_with_glu is not known here")
    multipliers = config.listed("ffn_multipliers")
    if len(multipliers) != frame.count:
        raise UnknownArchitecture(
            f"ffn_multipliers has {len(multipliers)} entries for {frame.count} layers"
        )
    step = config.positive("ffn_dim_divisor", default=256)
    widths = []
    for value in multipliers:
        exact = Config({"ffn_multipliers": value}).number("ffn_multipliers", FFN_MULTIPLIER_AT_MOST)
        size = exact * frame.hidden
        width = max(step, int(size + step / 2) // step * step)
        widths.append(width + step if width < 0.9 * size else width)
    return widths
