"""Llama 3.2 Vision: Llama with layers that attend to the image instead of to the text.

Source: modeling_mllama.py of huggingface/transformers@befb7955; only rounded counts are published.
"""

from dataclasses import replace

from calculators.maths.tensors.blocks import attention, gated_mlp, layer_norms, plain_mlp
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.dense import sizes
from calculators.maths.tensors.frame import Frame
from calculators.maths.tensors.model import Architecture, Layer, Mlp
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.stack import Stack
from calculators.maths.tensors.towers import Tensors, embed_patches, heads_of, patches, table, tower

SPECIAL_ROWS = 8  # the embedding has rows for image tokens that the head has not
ASPECT_RATIOS = 8  # of the class, where supported_aspect_ratios is missing


@family("mllama")
def mllama(config: Config) -> Architecture:
    """Self-attention as Llama's; `cross_attention_layers` have gates and norms of one head."""
    frame = Frame(config.with_text_defaults(sizes(32, 8, 14336, 128_256)))
    frame.text.require("cross_attention_layers")
    cross = frame.text.integers("cross_attention_layers")
    if any(index >= frame.count for index in cross):
        raise UnknownArchitecture(f"cross_attention_layers go beyond {frame.count} layers")
    own = [index for index in range(frame.count) if index not in set(cross)]
    prefix = "language_model.model."
    stack = Stack(prefix)
    stack.add(
        None,
        f"{prefix}embed_tokens.weight",
        frame.vocab + SPECIAL_ROWS,
        frame.hidden,
        kind="embedding",
        linear=False,
    )
    hidden, shape = frame.hidden, frame.attention
    attention(stack, own, hidden, shape)
    attention(stack, sorted(set(cross)), hidden, shape, norms="head", prefix="cross_attn.")
    for name in ("cross_attn_attn_gate", "cross_attn_mlp_gate"):
        stack.add(sorted(set(cross)), name, 1, kind="other")
    layers = range(frame.count)
    gated_mlp(stack, layers, hidden, frame.width)
    layer_norms(stack, layers, hidden, "input_layernorm", "post_attention_layernorm")
    text = Layer((shape,), (Mlp(frame.width),))
    image = replace(text, mixers=(replace(shape, cross=True),))
    seen = tuple(image if index in set(cross) else text for index in layers)
    towers = vision(config, hidden)
    return frame.architecture(stack, seen, towers, head="language_model.lm_head")


def vision(outer: Config, text_hidden: int) -> Tensors:
    """Two encoders, one after the other; learned positions per tile and aspect ratio."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=1280)
    prefix = "vision_model."
    stack = tower(f"{prefix}transformer.", "layers")
    gated = tower(f"{prefix}global_transformer.", "layers")
    size = config.positive("patch_size", default=14)
    channels = config.positive("num_channels", default=3)
    embed_patches(stack, f"{prefix}patch_embedding", hidden, channels, size, size, bias=False)
    table(stack, f"{prefix}class_embedding", hidden)
    places = patches(config, default_image=448, default_patch=14) + 1
    tiles = config.positive("max_num_tiles", default=4)
    ratios = len(config.listed("supported_aspect_ratios")) or ASPECT_RATIOS
    position = f"{prefix}gated_positional_embedding."
    table(stack, f"{position}gate", 1)
    table(stack, f"{position}embedding", places, hidden)
    table(stack, f"{position}tile_embedding.weight", ratios + 1, tiles * places * hidden)
    for name in ("pre_tile_positional_embedding.", "post_tile_positional_embedding."):
        table(stack, f"{prefix}{name}gate", 1)
        table(stack, f"{prefix}{name}embedding.weight", ratios + 1, tiles * hidden)
    for name in ("layernorm_pre", "layernorm_post"):
        stack.norm(None, prefix + name, hidden, bias=True)
    encoder(config, stack, range(config.depth("num_hidden_layers", default=32)), hidden)
    layers = range(config.depth("num_global_layers", default=8))
    encoder(config, gated, layers, hidden)
    for name in ("gate_attn", "gate_ffn"):
        gated.add(layers, name, 1, kind="other")
    out = config.positive("vision_output_dim", default=7680)
    name = "multi_modal_projector"
    gated.linear(None, name, text_hidden, out, bias=True, kind="projector")
    return stack.tensors() + gated.tensors()


def encoder(config: Config, stack: Stack, layers: range, hidden: int) -> None:
    """The layers of either encoder."""
    shape = heads_of(config, hidden, "attention_heads", "num_attention_heads")
    attention(stack, layers, hidden, shape)
    width = config.positive("intermediate_size", default=5120)
    plain_mlp(stack, layers, hidden, width, bias=True, names=("fc1", "fc2"))
    layer_norms(stack, layers, hidden, "input_layernorm", "post_attention_layernorm", bias=True)
