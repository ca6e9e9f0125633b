"""Llama and the decoders that follow it: one attention and one MLP per layer, told by a table.

Sources: modeling_{model_type}.py of huggingface/transformers@033b1a82 (and, for internlm2, exaone,
qwen and baichuan, the model code that their repositories carry); the counts of the catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from calculators.maths.tensors.blocks import (
    GATE_UP_DOWN,
    QKVO,
    HeadNorms,
    attention,
    gated_mlp,
    layer_norms,
    plain_mlp,
)
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.frame import Frame
from calculators.maths.tensors.model import Architecture, Layer, Mlp, Tensor
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.stack import Layers, Stack
from calculators.maths.tensors.windows import WindowRule, every, everywhere, exaone, flagged, full
from calculators.maths.tensors.windows import named as named_windows


class Key(NamedTuple):
    """A yes or no that the config gives under this key."""

    name: str
    default: bool = False


Answer = bool | Key


@dataclass(frozen=True)
class Layout:
    """What a family has that Llama has not, or has otherwise."""

    bias: Answer = False  # of q, k, v
    out_bias: Answer | None = None  # of o, where it is not that of q, k, v
    mlp_bias: Answer = False
    gated: bool = True
    head_norms: HeadNorms | None = None
    head_norms_if: Answer = True
    norm_names: tuple[str, str] = ("q_norm", "k_norm")
    head_norm_bias: bool = False
    fused_qkv: str | None = None
    fused_gate_up: str | None = None
    activation: tuple[str, ...] = ()  # scalars of the activation function
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    norm_bias: bool = False
    head_dim: int | None = None  # where the class gives one of its own
    tied: bool = False
    defaults: Mapping[str, int] = field(default_factory=dict)  # of the class, for a text_config
    windows: WindowRule = full
    prefix: str = "model."
    block: str = "layers"
    embedding: str = "embed_tokens"
    last_norm: str | None = "norm"
    head: str = "lm_head"
    head_bias: bool = False
    attention_prefix: str = "self_attn."
    attention_names: tuple[str, str, str, str] = QKVO
    mlp_prefix: str = "mlp."
    mlp_names: tuple[str, str, str] = GATE_UP_DOWN


POST_NORMS = ("post_attention_layernorm", "post_feedforward_layernorm")
GEMMA_2_NORMS = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)


def sizes(heads: int, kv_heads: int, width: int, vocab: int, **more: int) -> Mapping[str, int]:
    """The sizes of a configuration class."""
    return {
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": width,
        "vocab_size": vocab,
        **more,
    }


LLAMA = Layout(
    bias=Key("attention_bias"),
    mlp_bias=Key("mlp_bias"),
    defaults={
        "num_attention_heads": 32,
        "intermediate_size": 11008,
        "vocab_size": 32_000,
        "hidden_size": 4096,
        "num_hidden_layers": 32,
    },
)
MISTRAL = Layout(defaults=sizes(32, 8, 14336, 32_000))
QWEN_2 = Layout(bias=True, out_bias=False, windows=flagged, defaults=sizes(32, 32, 22016, 151_936))
QWEN_3 = Layout(
    bias=Key("attention_bias"),
    head_norms="head",
    windows=flagged,
    defaults=sizes(32, 32, 22016, 151_936, head_dim=128),
)
GEMMA = Layout(bias=Key("attention_bias"), head_dim=256, tied=True)
GEMMA_2 = replace(GEMMA, norms=GEMMA_2_NORMS, windows=every(2, 4096))
GEMMA_3 = replace(
    GEMMA_2,
    head_norms="head",
    windows=every(6, 4096),
    defaults=sizes(8, 4, 9216, 262_208),
)
COHERE = Layout(
    bias=Key("attention_bias"),
    head_norms="each_head",
    head_norms_if=Key("use_qk_norm"),
    norms=("input_layernorm",),  # attention and MLP run beside each other
    tied=True,
)
GLM = Layout(bias=Key("attention_bias"), out_bias=False, fused_gate_up="gate_up_proj", head_dim=128)
OLMO_2 = Layout(bias=Key("attention_bias"), head_norms="all_heads", norms=POST_NORMS)

LAYOUTS = {
    "llama": LLAMA,
    "Yi": LLAMA,
    "helium": replace(LLAMA, out_bias=False, head_dim=128),
    "mistral": replace(MISTRAL, windows=everywhere(4096)),
    "ministral": replace(MISTRAL, windows=named_windows),
    "ministral3": replace(
        MISTRAL,
        windows=everywhere(None),
        defaults=sizes(32, 8, 14336, 131_072, head_dim=128),
    ),
    "granite": LLAMA,
    "minicpm": replace(LLAMA, tied=True),
    "arcee": replace(LLAMA, gated=False),
    "smollm3": replace(LLAMA, tied=True, windows=flagged),
    "ernie4_5": Layout(bias=Key("use_bias"), mlp_bias=Key("use_bias"), head_dim=128, tied=True),
    "seed_oss": Layout(
        bias=Key("attention_bias", default=True),
        out_bias=Key("attention_out_bias"),
        mlp_bias=Key("mlp_bias"),
        head_dim=128,
    ),
    "qwen2": QWEN_2,
    "qwen3": replace(QWEN_3, head_dim=128),
    "gemma": GEMMA,
    "gemma2": GEMMA_2,
    "gemma3_text": GEMMA_3,
    "cohere": COHERE,
    "cohere2": replace(COHERE, head_norms=None, windows=every(4, 4096)),
    "glm": GLM,
    "glm4": replace(
        GLM,
        norms=(
            "input_layernorm",
            "post_self_attn_layernorm",
            "post_attention_layernorm",
            "post_mlp_layernorm",
        ),
    ),
    "phi3": Layout(fused_qkv="qkv_proj", fused_gate_up="gate_up_proj", windows=everywhere(None)),
    "olmo": Layout(bias=Key("attention_bias"), norms=(), last_norm=None),  # norms without weights
    "olmo2": OLMO_2,
    "olmo3": replace(OLMO_2, windows=every(4, 4096)),
    "exaone4": Layout(head_norms="head", norms=POST_NORMS, windows=exaone),
    "apertus": Layout(
        bias=Key("attention_bias"),
        head_norms="head",
        norms=("attention_layernorm", "feedforward_layernorm"),
        gated=False,
        activation=("mlp.act_fn.alpha_p", "mlp.act_fn.alpha_n"),
    ),
    "hunyuan_v1_dense": Layout(
        bias=Key("attention_bias"),
        head_norms="head",
        norm_names=("query_layernorm", "key_layernorm"),
    ),
    "nemotron": Layout(
        bias=Key("attention_bias"), mlp_bias=Key("mlp_bias"), gated=False, norm_bias=True
    ),
    "starcoder2": Layout(
        bias=Key("use_bias", default=True),
        mlp_bias=Key("use_bias", default=True),
        gated=False,
        mlp_names=("", "c_fc", "c_proj"),
        norm_bias=True,
        tied=True,
        windows=everywhere(None),
    ),
    "internlm2": Layout(
        bias=Key("bias", default=True),
        fused_qkv="wqkv",
        embedding="tok_embeddings",
        head="output",
        norms=("attention_norm", "ffn_norm"),
        attention_prefix="attention.",
        attention_names=("", "", "", "wo"),
        mlp_prefix="feed_forward.",
        mlp_names=("w1", "w3", "w2"),
    ),
    "internlm3": Layout(bias=Key("qkv_bias"), out_bias=Key("bias"), mlp_bias=Key("bias")),
    "baichuan": Layout(fused_qkv="W_pack"),
}


def answer(text: Config, given: Answer) -> bool:
    """The fixed answer, or that of the config's key."""
    return text.flag(given.name, given.default) if isinstance(given, Key) else given


def framed(config: Config, layout: Layout) -> Frame:
    """The frame of a config with the defaults of this layout."""
    return Frame(
        config.with_text_defaults(layout.defaults),
        tie_default=layout.tied,
        head_dim_default=layout.head_dim,
    )


def decoder(frame: Frame, layout: Layout, stack: Stack) -> tuple[Layer, ...]:
    """Adds the decoder layers to `stack`; returns them, for the cache."""
    attention_layers(frame, layout, stack, range(frame.count))
    mlp_layers(frame, layout, stack, range(frame.count))
    windows = layout.windows(frame)
    layer = {
        width: Layer((replace(frame.attention, window=width),), (Mlp(frame.width, layout.gated),))
        for width in set(windows)
    }
    return tuple(layer[width] for width in windows)


def attention_layers(frame: Frame, layout: Layout, stack: Stack, layers: Layers) -> None:
    """The attention block and the norms of these layers."""
    text = frame.text
    attention(
        stack,
        layers,
        frame.hidden,
        frame.attention,
        bias=answer(text, layout.bias),
        out_bias=None if layout.out_bias is None else answer(text, layout.out_bias),
        norms=layout.head_norms if answer(text, layout.head_norms_if) else None,
        norm_names=layout.norm_names,
        norm_bias=layout.head_norm_bias,
        fused=layout.fused_qkv,
        prefix=layout.attention_prefix,
        names=layout.attention_names,
    )
    layer_norms(stack, layers, frame.hidden, *layout.norms, bias=layout.norm_bias)


def mlp_layers(frame: Frame, layout: Layout, stack: Stack, layers: Layers) -> None:
    """The feed-forward block of these layers."""
    bias = answer(frame.text, layout.mlp_bias)
    prefix, names = layout.mlp_prefix, layout.mlp_names
    if layout.gated:
        fused = layout.fused_gate_up
        gated_mlp(
            stack,
            layers,
            frame.hidden,
            frame.width,
            bias=bias,
            fused=fused,
            prefix=prefix,
            names=names,
        )
    else:
        plain_mlp(
            stack, layers, frame.hidden, frame.width, bias=bias, prefix=prefix, names=names[1:]
        )
    for name in layout.activation:
        stack.add(layers, name, 1, kind="other")


def plain(config: Config, layout: Layout, *outside: Tensor) -> Architecture:
    """A decoder of this layout, alone in its file, with tensors `outside` its layers."""
    frame = framed(config, layout)
    stack = frame.stack(layout.prefix, layout.block, layout.embedding)
    layers = decoder(frame, layout, stack)
    return frame.architecture(
        stack,
        layers,
        outside,
        norm=layout.last_norm,
        norm_bias=layout.norm_bias,
        head=layout.head,
        head_bias=layout.head_bias,
    )


@family(*LAYOUTS)
def dense(config: Config) -> Architecture:
    """One of the `LAYOUTS`."""
    if config.part("vision_config"):
        raise UnknownArchitecture(f"{config.model_type} with a vision_config is not known here")
    return plain(config, LAYOUTS[config.model_type])


@family("mimo")
def mimo(config: Config) -> Architecture:
    """Qwen 2 with `num_nextn_predict_layers` blocks that predict further tokens.

    Each: a decoder layer, `input_proj` [hidden, 2 x hidden] and three norms of its own.
    """
    layout = replace(QWEN_2, bias=Key("attention_bias", default=True))
    frame = framed(config, layout)
    stack = frame.stack()
    layers = decoder(frame, layout, stack)
    blocks = range(config.integer("num_nextn_predict_layers", default=0, at_most=100))
    ahead = Stack(block="mtp_layers", part="mtp")
    attention_layers(frame, layout, ahead, blocks)
    mlp_layers(frame, layout, ahead, blocks)
    ahead.linear(blocks, "input_proj", frame.hidden, 2 * frame.hidden, kind="other")
    layer_norms(
        ahead, blocks, frame.hidden, "token_layernorm", "hidden_layernorm", "final_layernorm"
    )
    return frame.architecture(stack, layers, ahead.tensors())
