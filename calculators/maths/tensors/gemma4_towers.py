"""Gemma 4's towers for images and sound, and the projections of its unified models.

Sources: modular_gemma4.py@033b1a82, modular_gemma4_unified.py@078ae019 of huggingface/transformers;
the published count of Gemma 4 31B proves the vision tower to the unit.
"""

from calculators.maths.tensors.blocks import layer_norms
from calculators.maths.tensors.config import Config
from calculators.maths.tensors.dense import GEMMA_2_NORMS
from calculators.maths.tensors.model import Kind
from calculators.maths.tensors.stack import Layers, Stack
from calculators.maths.tensors.towers import Tensors, table, tower

CLIP_BOUNDS = ("input_min", "input_max", "output_min", "output_max")


def clippable(
    stack: Stack, layers: Layers, name: str, rows: int, columns: int, kind: Kind, clipped: bool
) -> None:
    """A linear module, with `use_clipped_linears` also four scalars that bound it."""
    stack.linear(layers, f"{name}.linear", rows, columns, kind=kind)
    for bound in CLIP_BOUNDS if clipped else ():
        stack.add(layers, f"{name}.{bound}", kind="other")


def vision_and_audio(outer: Config, text_hidden: int) -> Tensors:
    """The towers of this file's `vision_config` and `audio_config`."""
    return vision_tower(outer, text_hidden) + audio_tower(outer, text_hidden)


def vision_tower(outer: Config, text_hidden: int) -> Tensors:
    """Four norms per layer, norms on queries and keys, positions per axis."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=768)
    width = config.positive("intermediate_size", default=3072)
    heads = config.positive("num_attention_heads", default=12)
    key_value_heads = config.positive("num_key_value_heads", default=heads)
    head_dim = config.positive("head_dim", default=64)
    layers = range(config.depth("num_hidden_layers", default=16))
    prefix = "model.vision_tower."
    stack = tower(f"{prefix}encoder.", "layers")
    patch = 3 * config.positive("patch_size", default=16) ** 2
    positions = config.positive("position_embedding_size", default=10_240)
    stack.linear(None, f"{prefix}patch_embedder.input_proj", hidden, patch, kind="vision")
    table(stack, f"{prefix}patch_embedder.position_embedding_table", 2, positions, hidden)
    clipped = config.flag("use_clipped_linears")
    for name, rows, columns in (
        ("self_attn.q_proj", heads * head_dim, hidden),
        ("self_attn.k_proj", key_value_heads * head_dim, hidden),
        ("self_attn.v_proj", key_value_heads * head_dim, hidden),
        ("self_attn.o_proj", hidden, heads * head_dim),
    ):
        clippable(stack, layers, name, rows, columns, "attention", clipped)
    for name, rows, columns in (
        ("mlp.gate_proj", width, hidden),
        ("mlp.up_proj", width, hidden),
        ("mlp.down_proj", hidden, width),
    ):
        clippable(stack, layers, name, rows, columns, "mlp", clipped)
    for name in ("q_norm", "k_norm"):
        stack.norm(layers, f"self_attn.{name}", head_dim)
    layer_norms(stack, layers, hidden, *GEMMA_2_NORMS)
    for name in ("std_bias", "std_scale") if config.flag("standardize") else ():
        table(stack, prefix + name, hidden)
    name = "model.embed_vision.embedding_projection"
    stack.linear(None, name, text_hidden, hidden, kind="projector")
    return stack.tensors()


def audio_tower(outer: Config, text_hidden: int) -> Tensors:
    """A conformer: two feed-forwards, attention and a convolution per layer."""
    config = outer.part("audio_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=1024)
    layers = range(config.depth("num_hidden_layers", default=12))
    prefix = "model.audio_tower."
    stack = Stack(prefix, part="audio")
    _subsampling(stack, config, hidden)
    clipped = config.flag("use_clipped_linears", default=True)
    for block in ("feed_forward1.", "feed_forward2."):
        clippable(stack, layers, f"{block}ffw_layer_1", 4 * hidden, hidden, "mlp", clipped)
        clippable(stack, layers, f"{block}ffw_layer_2", hidden, 4 * hidden, "mlp", clipped)
        layer_norms(stack, layers, hidden, f"{block}pre_layer_norm", f"{block}post_layer_norm")
    for name in ("q_proj", "k_proj", "v_proj", "post"):
        clippable(stack, layers, f"self_attn.{name}", hidden, hidden, "attention", clipped)
    stack.linear(layers, "self_attn.relative_k_proj", hidden, hidden, kind="attention")
    head_dim = hidden // config.positive("num_attention_heads", default=8)
    stack.add(layers, "self_attn.per_dim_scale", head_dim, kind="attention")
    clippable(stack, layers, "lconv1d.linear_start", 2 * hidden, hidden, "other", clipped)
    clippable(stack, layers, "lconv1d.linear_end", hidden, hidden, "other", clipped)
    size = config.positive("conv_kernel_size", default=5)
    stack.add(layers, "lconv1d.depthwise_conv1d.weight", hidden, 1, size, kind="other")
    layer_norms(
        stack,
        layers,
        hidden,
        "lconv1d.pre_layer_norm",
        "lconv1d.conv_norm",
        "norm_pre_attn",
        "norm_post_attn",
        "norm_out",
    )
    out = config.positive("output_proj_dims", default=1536)
    stack.linear(None, f"{prefix}output_proj", out, hidden, bias=True, kind="projector")
    name = "model.embed_audio.embedding_projection"
    stack.linear(None, name, text_hidden, out, kind="projector")
    return stack.tensors()


def _subsampling(stack: Stack, config: Config, hidden: int) -> None:
    """Two convolutions of 3 x 3 over the spectrogram, then one matrix."""
    channels = config.integers("subsampling_conv_channels") or (128, 32)
    prefix = f"{stack.prefix}subsample_conv_projection."
    for index, (inputs, outputs) in enumerate(zip((1, *channels), channels, strict=False)):
        name = f"{prefix}layer{index}."
        stack.add(None, f"{name}conv.weight", outputs, inputs, 3, 3, kind="other")
        stack.norm(None, f"{name}norm", outputs)
    flat = channels[0] // 4 * channels[-1]
    stack.linear(None, f"{prefix}input_proj_linear", hidden, flat, kind="other")


def unified_projections(outer: Config, text_hidden: int) -> Tensors:
    """Patches and frames of sound go straight into the text width."""
    tensors: Tensors = ()
    config = outer.part("vision_config")
    if config is not None:
        stack = tower("model.embed_vision.", "")
        width = config.positive("mm_embed_dim", default=3840)
        pooling = config.positive("pooling_kernel_size", default=3)
        patch = 3 * (config.positive("patch_size", default=16) * pooling) ** 2
        prefix = stack.prefix
        stack.norm(None, f"{prefix}patch_ln1", patch, bias=True)
        stack.linear(None, f"{prefix}patch_dense", width, patch, bias=True, kind="vision")
        for name in ("patch_ln2", "pos_norm"):
            stack.norm(None, prefix + name, width, bias=True)
        positions = config.positive("mm_posemb_size", default=1120)
        table(stack, f"{prefix}pos_embedding", positions, 2, width)
        out = config.positive("output_proj_dims", default=width)
        name = f"{prefix}multimodal_embedder.embedding_projection"
        stack.linear(None, name, text_hidden, out, kind="projector")
        tensors += stack.tensors()
    config = outer.part("audio_config")
    if config is not None:
        stack = Stack("model.embed_audio.", part="audio")
        frame = config.positive("audio_embed_dim", default=640)
        name = f"{stack.prefix}embedding_projection"
        stack.linear(None, name, text_hidden, frame, kind="projector")
        tensors += stack.tensors()
    return tensors
