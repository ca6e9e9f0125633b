"""Mixtures of experts behind a vision tower: Qwen3-VL, Llama 4, Kimi K2.5."""

from dataclasses import replace

from calculators.maths.tensors import blocks, qwen_towers, towers
from calculators.maths.tensors.config import Config
from calculators.maths.tensors.mixture import (
    NORMS,
    Mixture,
    attention,
    dense_mlp,
    expert_shape,
    mixture,
    routed,
)
from calculators.maths.tensors.mla import deepseek_v3_model
from calculators.maths.tensors.model import Architecture
from calculators.maths.tensors.moe import QWEN_NEEDS, qwen_layers
from calculators.maths.tensors.registry import family

INNER, INNER_HEAD = "language_model.model.", "language_model.lm_head"


@family("qwen3_vl_moe")
def qwen3_vl_moe(outer: Config) -> Architecture:
    """Qwen3 with experts, stacked, behind a vision tower."""
    model = mixture(outer, *QWEN_NEEDS, prefix="model.language_model.")
    qwen_layers(model, second=False, stacked="gate_up_proj")
    return model.finish(qwen_towers.qwen3_vl(outer))


@family("kimi_k25")
def kimi_k25(outer: Config) -> Architecture:
    """Kimi K2 behind MoonViT."""
    model = deepseek_v3_model(outer, prefix=INNER)
    return model.finish(towers.moonvit(outer, model.hidden), head=INNER_HEAD)


@family("llama4")
def llama4(outer: Config) -> Architecture:
    """Llama 4 behind its vision tower."""
    model = llama4_layers(outer, INNER)
    return model.finish(towers.llama4(outer, model.hidden), head=INNER_HEAD)


@family("llama4_text")
def llama4_text(outer: Config) -> Architecture:
    """The language model of Llama 4 alone."""
    return llama4_layers(outer, "model.").finish()


def llama4_layers(outer: Config, prefix: str) -> Mixture:
    """Layers with RoPE see a chunk, every fourth the whole; experts at the end of every step.

    Norms on queries and keys have no weights.
    """
    needs = ("num_local_experts", "num_experts_per_tok", "intermediate_size")
    model = mixture(outer, *needs, prefix=prefix, head_dim=128)
    config = model.config
    shape = model.sizes.attention
    chunk = config.positive("attention_chunk_size", default=8192)
    for chunked, layers in blocks.grouped(llama4_chunked(model)).items():
        own = replace(shape, chunk=chunk) if chunked else shape
        attention(model, layers, own, bias=config.flag("attention_bias"))
    model.norms(model.all, *NORMS)
    step = config.positive("interleave_moe_layer_step", default=1)
    sparse = config.integers("moe_layers") or range(step - 1, model.count, step)
    width = config.positive("intermediate_size")
    dense = [index for index in model.all if index not in sparse]
    if dense:
        dense_width = config.positive("intermediate_size_mlp", default=16384)
        dense_mlp(model, dense, dense_width, prefix="feed_forward.")
    routed(
        model,
        [index for index in sparse if index < model.count],
        expert_shape(config, width, count=("num_local_experts",), shared_width=width),
        prefix="feed_forward.",
        router="router",
        stacked="gate_up_proj",
        shared="shared_expert.",
    )
    return model


def llama4_chunked(model: Mixture) -> list[bool]:
    """Whether each layer sees its chunk only: those with RoPE, unless `layer_types` says so."""
    config = model.config
    types = config.strings("layer_types")
    if len(types) == model.count:
        return [kind == "chunked_attention" for kind in types]
    with_rope = config.integers("no_rope_layers")
    if len(with_rope) >= model.count:
        return [bool(flag) for flag in with_rope[: model.count]]
    interval = config.positive("no_rope_layer_interval", default=4)
    return [(index + 1) % interval != 0 for index in model.all]
