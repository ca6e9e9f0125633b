"""GLM-4.5V and 4.6V: the layers of GLM-4.5 Air behind a vision tower.

Layout: huggingface/transformers src/transformers/models/glm4v_moe/modeling_glm4v_moe.py.
"""

from calculators.maths.tensors import blocks, towers
from calculators.maths.tensors.config import Config
from calculators.maths.tensors.mixture import NORMS, attention, mixture, routed, split_dense
from calculators.maths.tensors.model import Architecture
from calculators.maths.tensors.moe_shared import dense_layers, shared_experts
from calculators.maths.tensors.qwen_towers import kernel
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.towers import Tensors


@family("glm4v_moe")
def glm4v_moe(outer: Config) -> Architecture:
    """Biases on q, k, v by default, no norms on heads, no prediction block."""
    needs = ("n_routed_experts", "num_experts_per_tok", "moe_intermediate_size")
    model = mixture(outer, *needs, prefix="model.language_model.")
    bias = model.config.flag("attention_bias", True)
    attention(model, model.all, bias=bias, out_bias=False)
    model.norms(model.all, *NORMS)
    dense, sparse = split_dense(model, default=1)
    dense_layers(model, dense)
    experts = shared_experts(model.config)
    routed(model, sparse, experts, correction="gate.e_score_correction_bias")
    return model.finish(tower(outer))


def tower(outer: Config, prefix: str = "model.visual.") -> Tensors:
    """Patches of two frames, a convolution that joins four of them, a gated merger."""
    config = outer.part("vision_config")
    if config is None:
        return ()
    hidden = config.positive("hidden_size", default=1536)
    out = config.positive("out_hidden_size", default=4096)
    stack = towers.tower(prefix, "blocks")
    layers = range(config.depth("depth", default=24))
    towers.embed_patches(stack, f"{prefix}patch_embed.proj", hidden, *kernel(config))
    positions = towers.patches(config, 336, 14)
    towers.table(stack, f"{prefix}embeddings.position_embedding.weight", positions, hidden)
    blocks.attention(
        stack,
        layers,
        hidden,
        towers.heads_of(config, hidden, "num_heads"),
        bias=config.flag("attention_bias"),
        out_bias=False,
        fused="qkv",
        prefix="attn.",
        names=("", "", "", "proj"),
    )
    blocks.gated_mlp(stack, layers, hidden, out)
    blocks.layer_norms(stack, layers, hidden, "norm1", "norm2")
    for name in ("post_conv_layernorm", "post_layernorm"):
        stack.norm(None, prefix + name, hidden)
    side = config.positive("spatial_merge_size", default=2)
    joined = f"{prefix}downsample"
    stack.add(None, f"{joined}.weight", out, hidden, side, side, kind="projector")
    stack.add(None, f"{joined}.bias", out, kind="projector")
    width = config.positive("intermediate_size", default=13696)
    merger = f"{prefix}merger."
    stack.linear(None, f"{merger}proj", out, out, kind="projector")
    stack.norm(None, f"{merger}post_projection_norm", out, bias=True)
    blocks.gated_mlp(stack, None, out, width, prefix=merger, kind="projector")
    return stack.tensors()
