"""InternVL: InternViT and a projector before a language model of the dense table.

Source: modeling_intern_vit.py and modeling_internvl_chat.py in OpenGVLab/InternVL3-8B, whose
published count proves it.
"""

from calculators.maths.tensors.blocks import layer_norms, plain_mlp
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.model import Architecture
from calculators.maths.tensors.multimodal import nested, with_towers
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.towers import Tensors, embed_patches, heads_of, patches, table, tower

PREFIX = "vision_model."


@family("internvl_chat")
def internvl_chat(config: Config) -> Architecture:
    """The text model's config is called `llm_config`."""
    config.require("llm_config", "vision_config")
    whole = Config({**config.data, "text_config": config.data["llm_config"]})
    layout = nested(whole, "")
    hidden = whole.text.positive("hidden_size")
    towers = intern_vit(config, hidden)
    return with_towers(whole, layout, "language_model.model.", "language_model.lm_head", towers)


def intern_vit(outer: Config, text_hidden: int) -> Tensors:
    """The tower and the projector `mlp1`, which takes four patches as one."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size")
    size = config.positive("patch_size", default=14)
    stack = tower(PREFIX, "encoder.layers")
    embed_patches(stack, f"{PREFIX}embeddings.patch_embedding", hidden, 3, size, size)
    table(stack, f"{PREFIX}embeddings.class_embedding", 1, 1, hidden)
    places = patches(config, default_image=448, default_patch=14) + 1
    table(stack, f"{PREFIX}embeddings.position_embedding", 1, places, hidden)
    layers = range(config.depth("num_hidden_layers"))
    shape = heads_of(config, hidden, "num_attention_heads")
    rows, bias = shape.query_heads * shape.head_dim, config.flag("qkv_bias")
    stack.linear(layers, "attn.qkv", 3 * rows, hidden, bias=bias, kind="attention")
    stack.linear(layers, "attn.proj", hidden, rows, bias=True, kind="attention")
    if config.flag("qk_normalization"):
        for name in ("attn.q_norm", "attn.k_norm"):
            stack.norm(layers, name, rows)
    width = config.positive("intermediate_size")
    plain_mlp(stack, layers, hidden, width, bias=True, names=("fc1", "fc2"))
    kind = config.word("norm_type", "rms_norm")
    if kind not in ("rms_norm", "layer_norm"):
        raise UnknownArchitecture(f"{config.path}norm_type {kind[:40]!r} is not known here")
    layer_norms(stack, layers, hidden, "norm1", "norm2", bias=kind == "layer_norm")
    for name in ("ls1", "ls2"):
        stack.add(layers, name, hidden, kind="other")
    joined = round(hidden / outer.number("downsample_ratio", 1) ** 2)
    stack.norm(None, "mlp1.0", joined, bias=True)
    stack.linear(None, "mlp1.1", text_hidden, joined, bias=True, kind="projector")
    stack.linear(None, "mlp1.3", text_hidden, text_hidden, bias=True, kind="projector")
    return stack.tensors()
