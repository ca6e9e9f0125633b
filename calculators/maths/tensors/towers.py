"""Vision towers with what carries their output into the language model.

Each function takes the whole file, where needed also the width of the language model, and returns
the tensors of its `vision_config`, of part "vision": none when there is no `vision_config`.
Sources: modeling_{model_type}.py of huggingface/transformers@033b1a82; the counts of the catalogue
prove all but the Pixtral and Mllama towers to the unit.
"""

from calculators.maths.tensors.blocks import attention, gated_mlp, layer_norms, plain_mlp
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.model import Attention, Tensor
from calculators.maths.tensors.stack import Stack

Tensors = tuple[Tensor, ...]


def tower(prefix: str, block: str) -> Stack:
    """A stack for a vision tower."""
    return Stack(prefix, block, part="vision")


def heads_of(config: Config, hidden: int, *keys: str, default: int | None = None) -> Attention:
    """Attention in which every head has its own keys, with `head_dim` or hidden / heads."""
    heads = config.positive(*keys, default=default)
    head_dim = config.integer("head_dim", default=0) or max(1, hidden // heads)
    return Attention(heads, heads, head_dim, head_dim)


def patches(
    config: Config, default_image: int | None = None, default_patch: int | None = None
) -> int:
    """Patches of one square image of `image_size`."""
    image = config.positive("image_size", default=default_image)
    return (image // config.positive("patch_size", default=default_patch)) ** 2


def embed_patches(stack: Stack, name: str, hidden: int, *kernel: int, bias: bool = True) -> None:
    """The convolution that turns patches into vectors: [hidden, channels, ...kernel]."""
    stack.add(None, f"{name}.weight", hidden, *kernel, kind="vision", linear=False)
    if bias:
        stack.add(None, f"{name}.bias", hidden, kind="vision")


def table(stack: Stack, name: str, *shape: int) -> None:
    """Learned positions, or another parameter outside the layers that no activation multiplies."""
    stack.add(None, name, *shape, kind="vision", linear=False)


def merge(
    stack: Stack,
    name: str,
    sizes: tuple[int, int, int],
    *,
    bias: bool = True,
    parts: tuple[str, str],
) -> None:
    """A projector of two matrices: sizes in, between, out."""
    width_in, between, width_out = sizes
    stack.linear(None, f"{name}{parts[0]}", between, width_in, bias=bias, kind="projector")
    stack.linear(None, f"{name}{parts[1]}", width_out, between, bias=bias, kind="projector")


def siglip(outer: Config, prefix: str = "vision_tower.vision_model.") -> Tensors:
    """SigLIP without its pooling head (Gemma 3)."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=768)
    stack = tower(prefix, "encoder.layers")
    size = config.positive("patch_size", default=16)
    channels = config.positive("num_channels", default=3)
    embed_patches(stack, f"{prefix}embeddings.patch_embedding", hidden, channels, size, size)
    places = patches(config, default_image=224, default_patch=16)
    table(stack, f"{prefix}embeddings.position_embedding.weight", places, hidden)
    clip_layers(stack, config, hidden, depth=12, heads=12, width=3072)
    stack.norm(None, f"{prefix}post_layernorm", hidden, bias=True)
    return stack.tensors()


def clip(outer: Config, prefix: str = "vision_tower.vision_model.") -> Tensors:
    """CLIP: a class token, norms before and after the layers."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=768)
    stack = tower(prefix, "encoder.layers")
    size = config.positive("patch_size", default=32)
    channels = config.positive("num_channels", default=3)
    name = f"{prefix}embeddings.patch_embedding"
    embed_patches(stack, name, hidden, channels, size, size, bias=False)
    table(stack, f"{prefix}embeddings.class_embedding", hidden)
    places = patches(config, default_image=224, default_patch=32) + 1
    table(stack, f"{prefix}embeddings.position_embedding.weight", places, hidden)
    for name in ("pre_layrnorm", "post_layernorm"):
        stack.norm(None, prefix + name, hidden, bias=True)
    clip_layers(stack, config, hidden, depth=12, heads=12, width=3072)
    return stack.tensors()


def clip_layers(
    stack: Stack, config: Config, hidden: int, *, depth: int, heads: int, width: int
) -> None:
    """The layers that CLIP and SigLIP have in common, with the defaults of the class."""
    layers = range(config.depth("num_hidden_layers", default=depth))
    attention(
        stack,
        layers,
        hidden,
        heads_of(config, hidden, "num_attention_heads", default=heads),
        bias=True,
        names=("q_proj", "k_proj", "v_proj", "out_proj"),
    )
    inner = config.positive("intermediate_size", default=width)
    plain_mlp(stack, layers, hidden, inner, bias=True, names=("fc1", "fc2"))
    layer_norms(stack, layers, hidden, "layer_norm1", "layer_norm2", bias=True)


def pixtral(outer: Config, prefix: str = "vision_tower.") -> Tensors:
    """Pixtral: no biases, RMSNorms, rotary positions."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=1024)
    stack = tower(f"{prefix}transformer.", "layers")
    layers = range(config.depth("num_hidden_layers", default=24))
    size = config.positive("patch_size", default=16)
    channels = config.positive("num_channels", default=3)
    embed_patches(stack, f"{prefix}patch_conv", hidden, channels, size, size, bias=False)
    stack.norm(None, f"{prefix}ln_pre", hidden)
    shape = heads_of(config, hidden, "num_attention_heads", default=16)
    attention(stack, layers, hidden, shape, prefix="attention.")
    width = config.positive("intermediate_size", default=4096)
    gated_mlp(stack, layers, hidden, width, prefix="feed_forward.")
    layer_norms(stack, layers, hidden, "attention_norm", "ffn_norm")
    return stack.tensors()


def mistral3(outer: Config, text_hidden: int) -> Tensors:
    """Pixtral, a norm, a merge of `spatial_merge_size` squared patches, and two matrices."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=1024)
    stack = tower("multi_modal_projector.", "")
    bias = outer.flag("multimodal_projector_bias")
    merged = hidden * outer.positive("spatial_merge_size", default=2) ** 2
    name = stack.prefix
    stack.norm(None, f"{name}norm", hidden)
    stack.linear(None, f"{name}patch_merger.merging_layer", hidden, merged, kind="projector")
    sizes = (hidden, text_hidden, text_hidden)
    merge(stack, name, sizes, bias=bias, parts=("linear_1", "linear_2"))
    return pixtral(outer) + stack.tensors()


def llama4(outer: Config, text_hidden: int, prefix: str = "vision_model.") -> Tensors:
    """Llama 4: one class token, a pixel shuffle with two matrices, one matrix to the text."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size")
    stack = tower(f"{prefix}model.", "layers")
    layers = range(config.depth("num_hidden_layers"))
    size = config.positive("patch_size")
    flat = config.positive("num_channels", default=3) * size * size
    stack.linear(None, f"{prefix}patch_embedding.linear", hidden, flat, kind="vision")
    table(stack, f"{prefix}class_embedding", hidden)
    table(stack, f"{prefix}positional_embedding_vlm", patches(config) + 1, hidden)
    for name in ("layernorm_pre", "layernorm_post"):
        stack.norm(None, prefix + name, hidden, bias=True)
    shape = heads_of(config, hidden, "num_attention_heads")
    attention(stack, layers, hidden, shape, bias=True)
    width = config.positive("intermediate_size")
    plain_mlp(stack, layers, hidden, width, bias=True, names=("fc1", "fc2"))
    layer_norms(stack, layers, hidden, "input_layernorm", "post_attention_layernorm", bias=True)
    between = config.positive("projector_input_dim")
    sizes = (width, between, config.positive("projector_output_dim"))
    merge(stack, f"{prefix}vision_adapter.mlp.", sizes, bias=False, parts=("fc1", "fc2"))
    width_out = config.positive("vision_output_dim")
    stack.linear(None, "multi_modal_projector.linear_1", text_hidden, width_out, kind="projector")
    return stack.tensors()


def moonvit(outer: Config, text_hidden: int) -> Tensors:
    """MoonViT with its patch merger, in the `vt_*` keys of Kimi K2.5."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("vt_hidden_size")
    stack = tower("vision_tower.encoder.", "blocks")
    layers = range(config.depth("vt_num_hidden_layers"))
    size = config.positive("patch_size")
    embed_patches(stack, "vision_tower.patch_embed.proj", hidden, 3, size, size)
    table(
        stack,
        "vision_tower.patch_embed.pos_emb.weight",
        config.positive("init_pos_emb_height"),
        config.positive("init_pos_emb_width"),
        hidden,
    )
    attention(
        stack,
        layers,
        hidden,
        heads_of(config, hidden, "vt_num_attention_heads"),
        bias=True,
        fused="wqkv",
        prefix="",
        names=("", "", "", "wo"),
    )
    width = config.positive("vt_intermediate_size")
    plain_mlp(stack, layers, hidden, width, bias=True, names=("fc0", "fc1"))
    layer_norms(stack, layers, hidden, "norm0", "norm1", bias=True)
    stack.norm(None, "vision_tower.encoder.final_layernorm", hidden, bias=True)
    merged = hidden
    for factor in config.integers("merge_kernel_size") or (2, 2):
        merged *= factor
    stack.norm(None, "mm_projector.pre_norm", hidden, bias=True)
    merge(stack, "mm_projector.", (merged, merged, text_hidden), parts=("proj.0", "proj.2"))
    return stack.tensors()


def gemma3(outer: Config, text_hidden: int) -> Tensors:
    """SigLIP, a norm and one matrix, stored [vision, text]."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=768)
    stack = tower("multi_modal_projector.", "")
    stack.norm(None, f"{stack.prefix}mm_soft_emb_norm", hidden)
    name = f"{stack.prefix}mm_input_projection_weight"
    stack.add(None, name, text_hidden, hidden, kind="projector", linear=False)
    return siglip(outer) + stack.tensors()


def llava(outer: Config, text_hidden: int) -> Tensors:
    """CLIP or Pixtral and two matrices; several feature layers are joined side by side."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    towers = {"clip_vision_model": (clip, 768), "pixtral": (pixtral, 1024)}
    kind = config.model_type
    if kind not in towers:
        raise UnknownArchitecture(f"llava with a vision tower {kind[:40]!r} is not known here")
    read, default = towers[kind]
    several = outer.data.get("vision_feature_layer")
    joined = len(outer.listed("vision_feature_layer")) if isinstance(several, list) else 1
    hidden = config.positive("hidden_size", default=default) * max(1, joined)
    stack = tower("multi_modal_projector.", "")
    bias = outer.flag("multimodal_projector_bias", default=True)
    sizes = (hidden, text_hidden, text_hidden)
    merge(stack, stack.prefix, sizes, bias=bias, parts=("linear_1", "linear_2"))
    return read(outer) + stack.tensors()
