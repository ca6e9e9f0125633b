"""The vision towers of Qwen: Qwen2-VL, Qwen2.5-VL, and Qwen3-VL which Qwen3.5 keeps.

As in `vision`: each takes the whole file and returns the tensors of its `vision_config`.
"""

from calculators.maths.tensors.blocks import attention, gated_mlp, layer_norms, plain_mlp
from calculators.maths.tensors.config import Config
from calculators.maths.tensors.model import Attention
from calculators.maths.tensors.stack import Stack
from calculators.maths.tensors.towers import Tensors, embed_patches, heads_of, merge, table, tower


def blocks(config: Config, stack: Stack, hidden: int, depth: int = 32) -> range:
    """Patch embedding kernel apart, what the three share: fused attention with biases."""
    layers = range(config.depth("depth", default=depth))
    shape: Attention = heads_of(config, hidden, "num_heads", default=16)
    attention(
        stack,
        layers,
        hidden,
        shape,
        bias=True,
        fused="qkv",
        prefix="attn.",
        names=("", "", "", "proj"),
    )
    return layers


def kernel(config: Config, patch: int = 14) -> tuple[int, int, int, int]:
    """Channels, frames, height and width that one patch covers."""
    size = config.positive("patch_size", default=patch)
    channels = config.positive("in_channels", "in_chans", default=3)
    return (channels, config.positive("temporal_patch_size", default=2), size, size)


def merged_width(config: Config, hidden: int) -> int:
    """Patches that the merger joins, side by side."""
    return hidden * config.positive("spatial_merge_size", default=2) ** 2


def qwen2_vl(outer: Config, prefix: str = "visual.") -> Tensors:
    """Qwen2-VL: LayerNorms and a plain MLP of `mlp_ratio`; `hidden_size` is the text's."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("embed_dim", default=1280)
    stack = tower(prefix, "blocks")
    embed_patches(stack, f"{prefix}patch_embed.proj", hidden, *kernel(config), bias=False)
    layers = blocks(config, stack, hidden)
    width = hidden * config.positive("mlp_ratio", default=4)
    plain_mlp(stack, layers, hidden, width, bias=True, names=("fc1", "fc2"))
    layer_norms(stack, layers, hidden, "norm1", "norm2", bias=True)
    merged = merged_width(config, hidden)
    stack.norm(None, f"{prefix}merger.ln_q", hidden, bias=True)
    sizes = (merged, merged, config.positive("hidden_size"))
    merge(stack, f"{prefix}merger.", sizes, parts=("mlp.0", "mlp.2"))
    return stack.tensors()


def qwen2_5_vl(outer: Config, prefix: str = "visual.") -> Tensors:
    """Qwen2.5-VL: RMSNorms and a gated MLP with biases."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size")
    stack = tower(prefix, "blocks")
    embed_patches(stack, f"{prefix}patch_embed.proj", hidden, *kernel(config), bias=False)
    layers = blocks(config, stack, hidden)
    gated_mlp(stack, layers, hidden, config.positive("intermediate_size"), bias=True)
    layer_norms(stack, layers, hidden, "norm1", "norm2")
    merged = merged_width(config, hidden)
    stack.norm(None, f"{prefix}merger.ln_q", hidden)
    sizes = (merged, merged, config.positive("out_hidden_size"))
    merge(stack, f"{prefix}merger.", sizes, parts=("mlp.0", "mlp.2"))
    return stack.tensors()


def qwen3_vl(outer: Config, prefix: str = "model.visual.") -> Tensors:
    """Qwen3-VL and Qwen3.5: learned positions, a merger more for every deepstack index."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size")
    stack = tower(prefix, "blocks")
    embed_patches(stack, f"{prefix}patch_embed.proj", hidden, *kernel(config, patch=16))
    table(stack, f"{prefix}pos_embed.weight", config.positive("num_position_embeddings"), hidden)
    layers = blocks(config, stack, hidden, depth=27)
    width = config.positive("intermediate_size")
    plain_mlp(stack, layers, hidden, width, bias=True, names=("linear_fc1", "linear_fc2"))
    layer_norms(stack, layers, hidden, "norm1", "norm2", bias=True)
    merged = merged_width(config, hidden)
    sizes = (merged, merged, config.positive("out_hidden_size"))
    stack.norm(None, f"{prefix}merger.norm", hidden, bias=True)
    merge(stack, f"{prefix}merger.", sizes, parts=("linear_fc1", "linear_fc2"))
    for index in range(len(config.integers("deepstack_visual_indexes"))):
        name = f"{prefix}deepstack_merger_list.{index}."
        stack.norm(None, f"{name}norm", merged, bias=True)
        merge(stack, name, sizes, parts=("linear_fc1", "linear_fc2"))
    return stack.tensors()
