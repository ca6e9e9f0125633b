"""Mixtures of experts with grouped-query attention: Mixtral, Phi, OLMoE, Granite, gpt-oss, Qwen."""

from dataclasses import replace

from calculators.maths.tensors import blocks, windows
from calculators.maths.tensors.config import Config
from calculators.maths.tensors.mixture import (
    NORMS,
    W1_W3_W2,
    Mixture,
    attention,
    dense_mlp,
    expert_shape,
    mixture,
    routed,
    windowed,
)
from calculators.maths.tensors.model import Architecture, Mlp
from calculators.maths.tensors.registry import family

QWEN_NEEDS = ("num_experts", "num_experts_per_tok", "moe_intermediate_size")
LOCAL = ("num_local_experts", "num_experts")


@family("mixtral", "phimoe")
def mixtral(outer: Config) -> Architecture:
    """Every layer routed; Phi-3.5-MoE adds biases to norms, and by its config elsewhere."""
    model = mixture(outer, "intermediate_size")
    config = model.config
    phi = outer.model_type == "phimoe"
    for shape, layers in windowed(model, windows.everywhere(None)(model.sizes)).items():
        attention(model, layers, shape, bias=phi and config.flag("attention_bias"))
    model.norms(model.all, *NORMS, bias=phi)
    experts = expert_shape(config, config.positive("intermediate_size"), count=LOCAL)
    routed(model, model.all, experts, prefix="block_sparse_moe.", names=W1_W3_W2)
    return model.finish(norm_bias=phi, head_bias=phi and config.flag("lm_head_bias"))


@family("minimax_m2")
def minimax_m2(outer: Config) -> Architecture:
    """As Mixtral, with norms over all heads and a vector that steers the router."""
    model = mixture(outer, "intermediate_size", "head_dim")
    config = model.config
    normed = config.flag("use_qk_norm", True)
    attention(model, model.all, norms="all_heads" if normed else None)
    model.norms(model.all, *NORMS)
    routed(
        model,
        model.all,
        expert_shape(config, config.positive("intermediate_size"), count=LOCAL),
        prefix="block_sparse_moe.",
        router_dtype="float32",
        correction="e_score_correction_bias" if config.flag("use_routing_bias", True) else None,
        names=W1_W3_W2,
    )
    return model.finish()


@family("olmoe", "flex_olmo")
def olmoe(outer: Config) -> Architecture:
    """Norms over all heads; FlexOlmo puts the layer's norms after the blocks, as OLMo 2 does."""
    model = mixture(outer, "intermediate_size")
    config = model.config
    attention(model, model.all, bias=config.flag("attention_bias"), norms="all_heads")
    after = ("post_attention_layernorm", "post_feedforward_layernorm")
    model.norms(model.all, *(after if outer.model_type == "flex_olmo" else NORMS))
    routed(model, model.all, expert_shape(config, config.positive("intermediate_size")))
    return model.finish()


@family("granitemoe", "granitemoeshared")
def granitemoe(outer: Config) -> Architecture:
    """Experts stacked, gate and up in one."""
    model = mixture(outer, "intermediate_size")
    config = model.config
    attention(model, model.all, bias=config.flag("attention_bias"))
    model.norms(model.all, *NORMS)
    granite_experts(model, range(model.count))
    return model.finish()


def granite_experts(model: Mixture, layers: range) -> None:
    """Granite's routed experts and, where the config has one, the MLP that all tokens pass."""
    config = model.config
    shared = config.integer("shared_intermediate_size", default=0)
    count = config.integer("num_local_experts", default=0)
    if shared:
        for stack, chosen in model.stacks(layers):
            blocks.gated_mlp(
                stack,
                chosen,
                model.hidden,
                shared,
                fused="input_linear",
                prefix="shared_mlp.",
                names=("", "", "output_linear"),
                kind="shared_expert" if count else "mlp",
            )
    if not count:
        model.feed(layers, Mlp(shared))
        return
    shape = expert_shape(config, config.positive("intermediate_size"), count=LOCAL)
    for stack, chosen in model.stacks(layers):
        blocks.router(stack, chosen, model.hidden, count, name="block_sparse_moe.router.layer")
        blocks.experts(
            stack,
            chosen,
            model.hidden,
            shape,
            prefix="block_sparse_moe.",
            stacked="input_linear.weight",
            names=("", "", "output_linear.weight"),
        )
    model.feed(layers, replace(shape, shared_width=shared))


@family("gpt_oss")
def gpt_oss(outer: Config) -> Architecture:
    """Every other layer slides, a sink per head, biases everywhere, experts stacked."""
    model = mixture(outer, "intermediate_size", "head_dim")
    config = model.config
    bias = config.flag("attention_bias", True)
    for shape, layers in windowed(model, windows.every(2, 128)(model.sizes)).items():
        attention(model, layers, shape, bias=bias)
        model.stack.add(layers, "self_attn.sinks", shape.query_heads, kind="attention")
    model.norms(model.all, *NORMS)
    per_token = ("num_experts_per_tok", "experts_per_token")
    experts = expert_shape(
        config, config.positive("intermediate_size"), count=LOCAL, per_token=per_token
    )
    stacked = "gate_up_proj"
    routed(model, model.all, experts, router="router", router_bias=True, stacked=stacked, bias=True)
    return model.finish()


@family("qwen2_moe", "qwen3_moe", "qwen3_vl_moe_text")
def qwen_moe(outer: Config) -> Architecture:
    """Qwen 1.5, 2 and 3 with experts: Qwen2 has biases and a gated shared expert, Qwen3 norms."""
    model = mixture(outer, *QWEN_NEEDS)
    return qwen_layers(model, outer.model_type == "qwen2_moe").finish()


def qwen_layers(model: Mixture, second: bool, stacked: str | None = None) -> Mixture:
    """The layers of `model`; `second` generation or third."""
    config = model.config
    model.sizes.text.require(*(("shared_expert_intermediate_size",) if second else ()))
    bias = config.flag("qkv_bias", True) if second else config.flag("attention_bias")
    for shape, layers in windowed(model, windows.flagged(model.sizes)).items():
        out_bias = False if second else None
        attention(
            model, layers, shape, bias=bias, out_bias=out_bias, norms=None if second else "head"
        )
    model.norms(model.all, *NORMS)
    dense, sparse = qwen_dense(model)
    if dense:
        dense_mlp(model, dense, model.sizes.width)
    experts = expert_shape(
        config,
        config.positive("moe_intermediate_size"),
        count=("num_experts",),
        shared_width=config.integer("shared_expert_intermediate_size", default=0) if second else 0,
    )
    routed(
        model,
        sparse,
        experts,
        stacked=stacked,
        shared="shared_expert.",
        shared_gate="shared_expert_gate" if second else None,
    )
    return model


def qwen_dense(model: Mixture) -> tuple[list[int], list[int]]:
    """Dense layers, named in `mlp_only_layers` or left by `decoder_sparse_step`; and the rest."""
    named = model.config.integers("mlp_only_layers")
    step = model.config.positive("decoder_sparse_step", default=1)
    dense = [index for index in model.all if index in named or (index + 1) % step]
    return dense, [index for index in model.all if index not in dense]
