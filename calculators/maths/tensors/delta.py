"""Gated DeltaNet beside full attention: Qwen3-Next, and Qwen3.5 with and without experts."""

from collections.abc import Iterable
from dataclasses import dataclass

from calculators.maths.tensors import blocks, qwen_towers
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.frame import FULL
from calculators.maths.tensors.mixture import (
    NORMS,
    Mixture,
    Sizes,
    attention,
    dense_mlp,
    expert_shape,
    routed,
)
from calculators.maths.tensors.model import Architecture, Recurrent
from calculators.maths.tensors.moe import QWEN_NEEDS, qwen_dense
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.stack import Layers, Stack

LINEAR = "linear_attention"
DELTA_NEEDS = (
    "num_attention_heads",
    "linear_num_key_heads",
    "linear_num_value_heads",
    "linear_key_head_dim",
    "linear_value_head_dim",
)


@dataclass(frozen=True)
class DeltaNet:
    """The widths of one Gated DeltaNet block."""

    key_heads: int
    value_heads: int
    key_head_dim: int
    value_head_dim: int
    kernel: int

    @property
    def key(self) -> int:
        return self.key_heads * self.key_head_dim

    @property
    def value(self) -> int:
        return self.value_heads * self.value_head_dim

    @property
    def state(self) -> Recurrent:
        """What a sequence keeps: the convolution's last inputs, and a matrix per value head."""
        return Recurrent(
            "delta_net",
            conv_elements=(self.kernel - 1) * (2 * self.key + self.value),
            state_elements=self.value * self.key_head_dim,
        )


def delta_sizes(config: Config) -> DeltaNet:
    """From the `linear_*` keys."""
    return DeltaNet(
        config.positive("linear_num_key_heads"),
        config.positive("linear_num_value_heads"),
        config.positive("linear_key_head_dim"),
        config.positive("linear_value_head_dim"),
        config.positive("linear_conv_kernel_dim", default=4),
    )


def delta_dtype(config: Config) -> str | None:
    """What A_log and the gated norm have in the files, where it is not the model's dtype.

    Qwen3.5 holds both in float32, Qwen3.6 in BF16 (github.com/vllm-project/vllm/pull/51836; the
    36 such tensors of Qwen3.5 0.8B: github.com/modelscope/ms-swift/pull/9972), and so does
    Qwen3.8, whose index has two bytes for each parameter. All of them ask for a state in float32.
    The later configs, and those that Transformers wrote anew with the tensors cast, repeat
    partial_rotary_factor beside rope_parameters; those of Qwen3.5 do not.
    """
    wide = config.word("mamba_ssm_dtype") == "float32"
    return "float32" if wide and not config.has("partial_rotary_factor") else None


def delta_tensors(
    stack: Stack,
    layers: Layers,
    hidden: int,
    sizes: DeltaNet,
    fused: bool,
    dtype: str | None = None,
) -> None:
    """Inputs in two matrices (Qwen3-Next) or in four, a short convolution, a gated norm, out.

    `dtype` is that of A_log and of the norm.
    """
    mixed, gates = 2 * sizes.key + sizes.value, sizes.value_heads
    if fused:
        inputs = {"in_proj_qkvz": mixed + sizes.value, "in_proj_ba": 2 * gates}
    else:
        inputs = {"in_proj_qkv": mixed, "in_proj_z": sizes.value}
        inputs |= {"in_proj_b": gates, "in_proj_a": gates}
    prefix = "linear_attn."
    for name, rows in inputs.items():
        stack.linear(layers, prefix + name, rows, hidden, kind="recurrent")
    stack.add(layers, f"{prefix}conv1d.weight", mixed, 1, sizes.kernel, kind="recurrent")
    stack.add(layers, f"{prefix}A_log", gates, kind="recurrent", dtype=dtype)
    stack.add(layers, f"{prefix}dt_bias", gates, kind="recurrent")
    norm = f"{prefix}norm.weight"
    stack.add(layers, norm, sizes.value_head_dim, kind="norm", linear=False, dtype=dtype)
    stack.linear(layers, f"{prefix}out_proj", hidden, sizes.value, kind="recurrent")


def delta_kinds(model: Mixture) -> tuple[str, ...]:
    """`layer_types`, else full attention at every `full_attention_interval`-th layer."""
    kinds = model.config.strings("layer_types")
    if not kinds:
        every = model.config.positive("full_attention_interval", default=4)
        return tuple(LINEAR if (index + 1) % every else FULL for index in model.all)
    if len(kinds) != model.count or set(kinds) - {LINEAR, FULL}:
        raise UnknownArchitecture(f"layer_types are not {model.count} times {LINEAR} or {FULL}")
    return kinds


def delta_layers(model: Mixture, mtp: int, fused: bool) -> range:
    """Both kinds of layers and the norms around them; prediction blocks attend fully."""
    config = model.config
    sizes = delta_sizes(config)
    kinds = blocks.grouped(delta_kinds(model) + (FULL,) * mtp)
    linear, full = kinds.get(LINEAR, []), kinds.get(FULL, [])
    if linear:
        delta_tensors(model.stack, linear, model.hidden, sizes, fused, delta_dtype(config))
        model.mix(linear, sizes.state)
    gate = config.flag("attn_output_gate", True)
    bias = config.flag("attention_bias")
    attention(model, full, bias=bias, norms="head", query_gate=gate)
    everywhere = range(model.count + mtp)
    model.norms(everywhere, *NORMS)
    return everywhere


def delta_experts(model: Mixture, layers: Iterable[int], stacked: str | None) -> None:
    """Experts, and one gated expert that every token passes."""
    config = model.config
    shape = expert_shape(
        config,
        config.positive("moe_intermediate_size"),
        count=("num_experts",),
        shared_width=config.positive("shared_expert_intermediate_size"),
    )
    routed(
        model,
        layers,
        shape,
        stacked=stacked,
        shared="shared_expert.",
        shared_gate="shared_expert_gate",
    )


@family("qwen3_next")
def qwen3_next(outer: Config) -> Architecture:
    """The published Instruct checkpoint holds a prediction block that no key declares."""
    needs = (*DELTA_NEEDS, *QWEN_NEEDS, "shared_expert_intermediate_size")
    model = Mixture(Sizes(outer, head_dim_default=256, needs=needs))
    delta_layers(model, 0, fused=True)
    dense, sparse = qwen_dense(model)
    if dense:
        dense_mlp(model, dense, model.sizes.width)
    delta_experts(model, sparse, None)
    return model.finish()


@family("qwen3_5", "qwen3_5_moe", "qwen3_5_text", "qwen3_5_moe_text")
def qwen3_5(outer: Config) -> Architecture:
    """Qwen3.5 and 3.6, behind the tower of Qwen3-VL unless it is the text model alone."""
    text = outer.model_type.endswith("_text")
    moe = "_moe" in outer.model_type
    needs = (*QWEN_NEEDS, "shared_expert_intermediate_size") if moe else ("intermediate_size",)
    sizes = Sizes(outer, head_dim_default=256, needs=(*DELTA_NEEDS, *needs))
    prefix = "model." if text else "model.language_model."
    model = Mixture(sizes, prefix, mtp=Stack("mtp.", part="mtp"))
    mtp = model.config.integer("mtp_num_hidden_layers", default=0, at_most=8)
    if mtp and model.config.flag("mtp_use_dedicated_embeddings"):
        raise UnknownArchitecture("mtp_use_dedicated_embeddings true is not known here")
    everywhere = delta_layers(model, mtp, fused=False)
    if moe:
        delta_experts(model, everywhere, "gate_up_proj")
    else:
        dense_mlp(model, everywhere, sizes.width)
    if mtp:
        model.mtp.linear(None, "mtp.fc", model.hidden, 2 * model.hidden, kind="other")
        names = ("norm", "pre_fc_norm_embedding", "pre_fc_norm_hidden")
        blocks.layer_norms(model.mtp, None, model.hidden, *(f"mtp.{name}" for name in names))
    return model.finish(() if text else qwen_towers.qwen3_vl(outer))
