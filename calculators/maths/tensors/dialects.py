"""Decoders, mostly older, whose configs and files use names of their own.

Each reader renames the keys to those of `Frame`, and gives a `Layout`. Sources:
modeling_{model_type}.py of huggingface/transformers@033b1a82; for chatglm, exaone and qwen (the
first Qwen) the model code in zai-org/glm-4-9b-chat, LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct and
Qwen/Qwen-7B.
"""

from dataclasses import replace

from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.dense import Key, Layout, plain
from calculators.maths.tensors.frame import Frame
from calculators.maths.tensors.model import Architecture, Tensor
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.windows import Windows


def gpt_neo_windows(frame: Frame) -> Windows:
    """`attention_types` repeats a list of kinds: [[["global", "local"], 12]]."""
    width = frame.text.positive("window_size", default=256)
    kinds = frame.text.data.get("attention_types") or [[["global", "local"], frame.count]]
    try:
        spelled = [kind for kind_list, times in kinds for kind in list(kind_list) * int(times)]
    except (TypeError, ValueError):
        spelled = []
    if set(spelled) - {"global", "local"} or len(spelled) < frame.count:
        raise UnknownArchitecture("attention_types is not a list of kinds, global or local")
    return tuple(width if kind == "local" else None for kind in spelled[: frame.count])


GPT_KEYS = {
    "n_embd": "hidden_size",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_inner": "intermediate_size",
    "n_positions": "max_position_embeddings",
}
GPT_2 = Layout(
    bias=True,
    mlp_bias=True,
    gated=False,
    fused_qkv="c_attn",
    norms=("ln_1", "ln_2"),
    norm_bias=True,
    tied=True,
    prefix="transformer.",
    block="h",
    embedding="wte",
    last_norm="ln_f",
    attention_prefix="attn.",
    attention_names=("", "", "", "c_proj"),
    mlp_names=("", "c_fc", "c_proj"),
)
GPT_J = replace(
    GPT_2,
    bias=False,
    fused_qkv=None,
    norms=("ln_1",),  # attention and MLP run beside each other
    tied=False,
    head_bias=True,
    attention_names=("q_proj", "k_proj", "v_proj", "out_proj"),
    mlp_names=("", "fc_in", "fc_out"),
)
GPT_NEOX = Layout(
    bias=Key("attention_bias", default=True),
    mlp_bias=True,
    gated=False,
    fused_qkv="query_key_value",
    norm_bias=True,
    prefix="gpt_neox.",
    embedding="embed_in",
    last_norm="final_layer_norm",
    head="embed_out",
    attention_prefix="attention.",
    attention_names=("", "", "", "dense"),
    mlp_names=("", "dense_h_to_4h", "dense_4h_to_h"),
)
GPT_NEO = replace(
    GPT_2,
    bias=False,
    out_bias=True,
    fused_qkv=None,
    attention_prefix="attn.attention.",
    attention_names=("q_proj", "k_proj", "v_proj", "out_proj"),
    windows=gpt_neo_windows,
)
BLOOM = replace(
    GPT_NEOX,
    bias=True,
    tied=True,
    prefix="transformer.",
    block="h",
    embedding="word_embeddings",
    last_norm="ln_f",
    head="lm_head",
    attention_prefix="self_attention.",
)
FALCON = replace(BLOOM, bias=Key("bias"), mlp_bias=Key("bias"))
MPT = Layout(
    bias=Key("bias"),
    mlp_bias=Key("bias"),
    gated=False,
    fused_qkv="Wqkv",
    norms=("norm_1", "norm_2"),
    tied=True,
    prefix="transformer.",
    block="blocks",
    embedding="wte",
    last_norm="norm_f",
    attention_prefix="attn.",
    attention_names=("", "", "", "out_proj"),
    mlp_prefix="ffn.",
)
PHI = Layout(
    bias=True,
    mlp_bias=True,
    gated=False,
    head_norms="head",
    head_norms_if=Key("qk_layernorm"),
    norm_names=("q_layernorm", "k_layernorm"),
    head_norm_bias=True,
    norms=("input_layernorm",),  # attention and MLP run beside each other
    norm_bias=True,
    last_norm="final_layernorm",
    head_bias=True,
    attention_names=("q_proj", "k_proj", "v_proj", "dense"),
    mlp_names=("", "fc1", "fc2"),
)
STABLELM = Layout(bias=Key("use_qkv_bias"), out_bias=False, norm_bias=True)
EXAONE = Layout(
    norms=("ln_1", "ln_2"),
    tied=True,
    prefix="transformer.",
    block="h",
    embedding="wte",
    last_norm="ln_f",
    attention_prefix="attn.attention.",
    attention_names=("q_proj", "k_proj", "v_proj", "out_proj"),
    mlp_names=("c_fc_0", "c_fc_1", "c_proj"),
)
QWEN = Layout(
    bias=True,
    out_bias=False,
    fused_qkv="c_attn",
    norms=("ln_1", "ln_2"),
    prefix="transformer.",
    block="h",
    embedding="wte",
    last_norm="ln_f",
    attention_prefix="attn.",
    attention_names=("", "", "", "c_proj"),
    mlp_names=("w2", "w1", "c_proj"),
)
CHATGLM = Layout(
    bias=Key("add_qkv_bias"),
    out_bias=Key("add_bias_linear"),
    mlp_bias=Key("add_bias_linear"),
    fused_qkv="query_key_value",
    fused_gate_up="dense_h_to_4h",
    prefix="transformer.",
    block="encoder.layers",
    embedding="embedding.word_embeddings",
    last_norm="encoder.final_layernorm",
    head="transformer.output_layer",
    attention_prefix="self_attention.",
    attention_names=("", "", "", "dense"),
    mlp_names=("", "", "dense_4h_to_h"),
)


def filled(config: Config, **values: object) -> Config:
    """The config with these keys where it has none (or null)."""
    missing = {key: value for key, value in values.items() if not config.has(key)}
    return Config({**config.data, **missing}, config.path)


def wide(config: Config) -> Config:
    """An MLP of four times the width, where the file does not say."""
    return filled(config, intermediate_size=4 * config.positive("hidden_size"))


def positions(config: Config, name: str, more: int = 0) -> Tensor:
    """A learned position per token of context."""
    rows = config.positive("max_position_embeddings") + more
    return Tensor(name, (rows, config.positive("hidden_size")), "embedding", linear=False)


@family("gpt2", "gpt_bigcode")
def gpt2(config: Config) -> Architecture:
    """GPT-2, and StarCoder with one head for keys and values."""
    config = wide(config.renamed(GPT_KEYS))
    if config.model_type == "gpt_bigcode" and config.flag("multi_query", default=True):
        config = filled(config, num_key_value_heads=1)
    return plain(config, GPT_2, positions(config, "transformer.wpe.weight"))


@family("gptj")
def gptj(config: Config) -> Architecture:
    """GPT-J: rotary positions, a head with a bias."""
    return plain(wide(config.renamed(GPT_KEYS)), GPT_J)


@family("gpt_neox")
def gpt_neox(config: Config) -> Architecture:
    """GPT-NeoX and Pythia."""
    return plain(config, GPT_NEOX)


@family("gpt_neo")
def gpt_neo(config: Config) -> Architecture:
    """GPT-Neo: every second layer local."""
    names = {"num_layers": "num_hidden_layers", "num_heads": "num_attention_heads"}
    config = wide(config.renamed(names))
    return plain(config, GPT_NEO, positions(config, "transformer.wpe.weight"))


@family("bloom")
def bloom(config: Config) -> Architecture:
    """BLOOM: a norm right after the embedding."""
    config = wide(config.renamed(GPT_KEYS | {"n_embed": "hidden_size"}))
    hidden = config.positive("hidden_size")
    name = "transformer.word_embeddings_layernorm."
    norms = [Tensor(name + part, (hidden,), "norm", linear=False) for part in ("weight", "bias")]
    return plain(config, BLOOM, *norms)


@family("falcon")
def falcon(config: Config) -> Architecture:
    """Falcon: keys, values and norms by generation of the architecture."""
    config = wide(config.renamed({"ffn_hidden_size": "intermediate_size"}))
    heads = config.positive("num_attention_heads")
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    if config.flag("new_decoder_architecture"):
        config = config.renamed({"num_kv_heads": "num_key_value_heads"})
        shared = config.integer("num_ln_in_parallel_attn", default=2) == 1
        norms = ("input_layernorm",) if shared else ("ln_attn", "ln_mlp")
    else:
        one = config.flag("multi_query", default=True)
        config = Config({**config.data, "num_key_value_heads": 1 if one else heads})
        if config.flag("parallel_attn", default=True):
            norms = ("input_layernorm",)
    return plain(config, replace(FALCON, norms=norms))


@family("mpt")
def mpt(config: Config) -> Architecture:
    """MPT: no biases, positions from slopes."""
    names = {
        "d_model": "hidden_size",
        "n_layers": "num_hidden_layers",
        "n_heads": "num_attention_heads",
    }
    config = config.renamed(names)
    inner = config.part("attn_config")
    kind = inner.word("attn_type", "multihead_attention") if inner else "multihead_attention"
    if kind != "multihead_attention":
        raise UnknownArchitecture(f"mpt with attn_type {kind[:40]!r} is not known here")
    ratio = config.positive("expansion_ratio", default=4)
    width = ratio * config.positive("hidden_size")
    bias = not config.flag("no_bias", default=True)
    layout = replace(MPT, bias=bias, mlp_bias=bias, norm_bias=bias)
    return plain(filled(config, intermediate_size=width), layout)


@family("phi")
def phi(config: Config) -> Architecture:
    """Phi-1, 1.5 and 2."""
    return plain(config, PHI)


@family("stablelm")
def stablelm(config: Config) -> Architecture:
    """StableLM; with `qk_layernorm` every head has a norm tensor of its own."""
    layout = STABLELM
    if config.flag("use_parallel_residual"):
        layout = replace(layout, norms=("input_layernorm",))
    if config.flag("qk_layernorm"):
        raise UnknownArchitecture("stablelm with qk_layernorm is not known here")
    return plain(config, layout)


@family("exaone")
def exaone(config: Config) -> Architecture:
    """EXAONE 3 and 3.5."""
    return plain(wide(config.renamed({"num_layers": "num_hidden_layers"})), EXAONE)


@family("qwen")
def qwen(config: Config) -> Architecture:
    """The first Qwen: `intermediate_size` counts gate and up together."""
    width = config.positive("intermediate_size") // 2
    head_dim = config.positive("kv_channels", default=128)
    keys = {"intermediate_size": width, "head_dim": head_dim}
    return plain(Config({**config.data, **keys}), QWEN)


@family("chatglm")
def chatglm(config: Config) -> Architecture:
    """ChatGLM 2 and 3, GLM-4 9B as first published."""
    names = {
        "num_layers": "num_hidden_layers",
        "ffn_hidden_size": "intermediate_size",
        "kv_channels": "head_dim",
    }
    config = config.renamed(names)
    heads = config.positive("num_attention_heads")
    if config.flag("multi_query_attention"):
        heads = config.positive("multi_query_group_num", default=1)
    keys = {"num_key_value_heads": heads}
    if config.has("padded_vocab_size"):
        keys["vocab_size"] = config.positive("padded_vocab_size")
    return plain(Config({**config.data, **keys}), CHATGLM)
