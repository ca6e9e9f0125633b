"""DBRX: a mixture whose experts share three tensors a layer, norms without biases.

Source: modeling_dbrx.py of huggingface/transformers@033b1a82; the count of databricks/dbrx-base.
"""

from calculators.maths.tensors.blocks import attention, experts, layer_norms, router
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.frame import Frame
from calculators.maths.tensors.model import Architecture, Attention, Experts, Layer
from calculators.maths.tensors.registry import family

KEYS = {
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
}


@family("dbrx")
def dbrx(config: Config) -> Architecture:
    """Sizes stand in `attn_config` and `ffn_config`."""
    frame = Frame(config.renamed(KEYS))
    inner, feed = config.part("attn_config"), config.part("ffn_config")
    if inner is None or feed is None:
        raise UnknownArchitecture("dbrx: the keys attn_config, ffn_config are missing")
    whole = frame.attention
    heads = inner.positive("kv_n_heads", default=1)
    shape = Attention(whole.query_heads, heads, whole.head_dim, whole.head_dim)
    mixture = Experts(
        feed.positive("moe_num_experts", default=4),
        feed.positive("moe_top_k", default=1),
        feed.positive("ffn_hidden_size", default=3584),
    )
    stack = frame.stack("transformer.", "blocks", "wte")
    layers = range(frame.count)
    attention(
        stack,
        layers,
        frame.hidden,
        shape,
        fused="Wqkv",
        prefix="norm_attn_norm.attn.",
        names=("", "", "", "out_proj"),
    )
    layer_norms(stack, layers, frame.hidden, "norm_attn_norm.norm_1", "norm_attn_norm.norm_2")
    router(stack, layers, frame.hidden, mixture.count, name="ffn.router.layer")
    # The files hold w1, v1 and w2 of all experts as one matrix each; quantizers take them apart.
    names = ("w1", "v1", "w2")
    experts(stack, layers, frame.hidden, mixture, prefix="ffn.experts.mlp.", names=names)
    layer = Layer((shape,), (mixture,))
    return frame.architecture(stack, (layer,) * frame.count, norm="norm_f")
