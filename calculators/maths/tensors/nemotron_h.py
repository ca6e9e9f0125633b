"""Nemotron-H and Nemotron 3: one block to a layer, by a pattern of letters or a list of words.

Layout: huggingface/transformers src/transformers/models/nemotron_h/modeling_nemotron_h.py.
"""

from calculators.maths.tensors import blocks
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.mamba import Mamba2
from calculators.maths.tensors.mixture import Mixture, Sizes, attention
from calculators.maths.tensors.model import Architecture, Attention, Experts, Mlp
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.stack import Stack

MAMBA, EXPERTS, ATTENTION, MLP = "M", "E", "*", "-"
WORDS = {
    "mamba": MAMBA,
    "linear_attention": MAMBA,
    "moe": EXPERTS,
    "attention": ATTENTION,
    "full_attention": ATTENTION,
    "mlp": MLP,
}
NEEDS = ("num_attention_heads", "mamba_num_heads", "mamba_head_dim")


@family("nemotron_h")
def nemotron_h(outer: Config) -> Architecture:
    """A prediction block is a run of layers of its own pattern, in `mtp.layers`."""
    config = outer.text
    letters = pattern(config, "hybrid_override_pattern", "layers_block_type", "layer_types")
    if not letters:
        config.require("hybrid_override_pattern or layers_block_type")
    sizes = Sizes(outer, needs=NEEDS, depth=len(letters))
    mtp = Stack("mtp.", part="mtp")
    model = Mixture(sizes, "backbone.", embedding="backbone.embeddings", mtp=mtp)
    predicted = config.integer("num_nextn_predict_layers", default=0, at_most=8)
    own = pattern(config, "mtp_hybrid_override_pattern", "mtp_layers_block_type") or "*E"
    letters += own * predicted
    kinds = blocks.grouped(letters)
    if MAMBA in kinds:
        mamba(model, kinds[MAMBA])
    if ATTENTION in kinds:
        shape = nemotron_attention(config, model.hidden)
        bias = config.flag("attention_bias")
        attention(model, kinds[ATTENTION], shape, bias=bias, prefix="mixer.")
    if MLP in kinds:
        width = config.positive("intermediate_size")
        for stack, chosen in model.stacks(kinds[MLP]):
            bias = config.flag("mlp_bias")
            blocks.plain_mlp(stack, chosen, model.hidden, width, prefix="mixer.", bias=bias)
        model.feed(kinds[MLP], Mlp(width, gated=False))
    if EXPERTS in kinds:
        experts(model, kinds[EXPERTS])
    model.norms(range(len(letters)), "norm")
    if predicted:
        first = range(0, len(own) * predicted, len(own))
        last = [index + len(own) - 1 for index in first]
        mtp.linear(first, "eh_proj", model.hidden, 2 * model.hidden, kind="other")
        blocks.layer_norms(mtp, first, model.hidden, "enorm", "hnorm")
        blocks.layer_norms(mtp, last, model.hidden, "final_layernorm")
    return model.finish(norm="norm_f")


def pattern(config: Config, letters: str, *words: str) -> str:
    """The kinds of the layers as letters; empty when no key tells."""
    found = config.word(letters)
    if not found:
        named = next((config.strings(key) for key in words if config.has(key)), ())
        unknown = [word for word in named if word not in WORDS]
        if unknown:
            raise UnknownArchitecture(f"{words[0]} names {unknown[0][:40]!r}, unknown here")
        found = "".join(WORDS[word] for word in named)
    if set(found) - set(WORDS.values()) or len(found) > 2000:
        raise UnknownArchitecture(f"{letters} is {found[:40]!r}, not a pattern of M, E, * and -")
    return found


def mamba(model: Mixture, layers: list[int]) -> None:
    """Mamba-2 with a gated norm over its inner channels."""
    config = model.config
    block = Mamba2(
        config.positive("mamba_num_heads"),
        config.positive("mamba_head_dim"),
        groups=config.positive("n_groups", "mamba_n_groups", default=8),
        state=config.positive("ssm_state_size", default=128),
        kernel=config.positive("conv_kernel", "mamba_d_conv", default=4),
        conv_bias=config.flag("use_conv_bias", True),
        bias=config.flag("mamba_proj_bias"),
        out_bias=config.flag("use_bias"),
        # Nemotron 3, the mixtures, as the totals of its MLX files have it; not Nemotron Nano 2
        a_log="float32" if config.has("n_routed_experts") else None,
    )
    for stack, chosen in model.stacks(layers):
        block.tensors(stack, chosen, model.hidden, "mixer.")
    model.mix(layers, block.recurrent)


def nemotron_attention(config: Config, hidden: int) -> Attention:
    """Width of a head under either of two keys."""
    heads = config.positive("num_attention_heads")
    key_value_heads = config.positive("num_key_value_heads", default=8)
    width = config.positive("head_dim", "attention_head_dim", default=128)
    return Attention(heads, key_value_heads, width, width)


def experts(model: Mixture, layers: list[int]) -> None:
    """Experts without a gate, on a latent width where the config has one; one shared block."""
    config, hidden = model.config, model.hidden
    config.require("n_routed_experts", "num_experts_per_tok", "moe_intermediate_size")
    width = config.positive("moe_intermediate_size")
    shared = config.positive("moe_shared_expert_intermediate_size", default=width)
    shared *= config.integer("n_shared_experts", default=1)
    count, used = config.positive("n_routed_experts"), config.positive("num_experts_per_tok")
    if used > count:
        raise UnknownArchitecture(f"num_experts_per_tok is {used}, of {count} experts")
    shape = Experts(count, used, width, shared, gated=False)
    latent = config.integer("moe_latent_size", default=0)
    for stack, chosen in model.stacks(layers):
        steer = "mixer.gate.e_score_correction_bias"
        blocks.router(stack, chosen, hidden, count, name="mixer.gate", correction=steer)
        blocks.experts(stack, chosen, latent or hidden, shape, prefix="mixer.experts.")
        if latent:
            for name, rows, columns in (
                ("fc1_latent_proj", latent, hidden),
                ("fc2_latent_proj", hidden, latent),
            ):
                stack.linear(chosen, f"mixer.{name}", rows, columns, kind="shared_expert")
        if shared:
            prefix = "mixer.shared_experts."
            blocks.plain_mlp(stack, chosen, hidden, shared, prefix=prefix, kind="shared_expert")
    model.feed(layers, shape)
