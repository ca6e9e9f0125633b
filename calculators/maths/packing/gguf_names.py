"""GGUF names of Hugging Face tensors, and what the names alone decide.

Source: ggml-org/llama.cpp:gguf-py/gguf/tensor_mapping.py@0024aa74, constants.py@0024aa74 (names),
src/llama-quant.cpp@007dbbf3 (`tensor_get_category`, `tensor_allows_quantization`),
conversion/base.py@00bd27a6 (`prepare_tensors`: what stays F32).
"""

from functools import cache

from calculators.maths.packing.gguf_mix import Category
from calculators.maths.tensors import Tensor

# Last part of the Hugging Face name -> GGUF name. Outside the layers.
_OUTSIDE = {
    **dict.fromkeys(
        (
            *("embed_tokens", "wte", "word_embeddings", "embeddings", "embed_in", "embed"),
            *("tok_embeddings", "token_embeddings"),
        ),
        "token_embd",
    ),
    **dict.fromkeys(("lm_head", "embed_out", "output", "head", "output_layer"), "output"),
    **dict.fromkeys(
        ("norm", "norm_f", "ln_f", "final_layernorm", "final_layer_norm"), "output_norm"
    ),
    "embedding_norm": "token_embd_norm",
    **dict.fromkeys(("wpe", "position_embeddings"), "position_embd"),
    "token_type_embeddings": "token_types",
    "embed_tokens_per_layer": "per_layer_token_embd",
    "per_layer_model_projection": "per_layer_model_proj",
    "per_layer_projection_norm": "per_layer_proj_norm",
    "altup_projections": "altup_proj",
    "altup_unembed_projections": "altup_unembd_proj",
}

# Inside the layers, by the whole name after the layer's index where the last part is ambiguous ...
_WHOLE = {
    "mlp.shared_expert_gate": "ffn_gate_inp_shexp",
    "mlp.w2": "ffn_gate",  # the first Qwen; its w1 is up
    "mlp.w1": "ffn_up",
    "router.proj": "ffn_gate_inp",
    "router.scale": "ffn_gate_inp.scale",
    "router.per_expert_scale": "ffn_down_exps.scale",
    "conv.in_proj": "shortconv.in_proj",
    "conv.out_proj": "shortconv.out_proj",
    "conv.conv": "shortconv.conv",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "linear_attn.norm": "ssm_norm",
    "mamba.norm": "ssm_norm",
    "mixer.norm": "ssm_norm",
    "norm": "attn_norm",
    "self_attn.indexer.wk": "indexer.attn_k",
    "self_attn.indexer.wq_b": "indexer.attn_q_b",
    "self_attn.indexer.weights_proj": "indexer.proj",
    "self_attn.indexer.k_norm": "indexer.k_norm",
}

# ... then by the last part, for each kind of tensor.
_ATTENTION = {
    **dict.fromkeys(("q_proj", "wq", "query"), "attn_q"),
    **dict.fromkeys(("k_proj", "wk", "key"), "attn_k"),
    **dict.fromkeys(("v_proj", "wv", "value"), "attn_v"),
    **dict.fromkeys(("qkv_proj", "c_attn", "query_key_value", "Wqkv", "in_proj_qkv"), "attn_qkv"),
    **dict.fromkeys(("o_proj", "out_proj", "c_proj", "dense", "wo"), "attn_output"),
    **dict.fromkeys(("g_proj", "gate_proj", "in_proj_z"), "attn_gate"),
    **dict.fromkeys(("sinks", "attention_sink_bias"), "attn_sinks"),
    "q_a_proj": "attn_q_a",
    "q_b_proj": "attn_q_b",
    "kv_a_proj_with_mqa": "attn_kv_a_mqa",
    "kv_b_proj": "attn_kv_b",
    "k_b_proj": "attn_k_b",
    "v_b_proj": "attn_v_b",
}
_RECURRENT = {
    **_ATTENTION,
    **dict.fromkeys(("in_proj", "in_proj_qkvz"), "ssm_in"),
    "out_proj": "ssm_out",
    "conv1d": "ssm_conv1d",
    "q_conv1d": "ssm_conv1d_q",
    "k_conv1d": "ssm_conv1d_k",
    "v_conv1d": "ssm_conv1d_v",
    "x_proj": "ssm_x",
    "dt_proj": "ssm_dt",
    "dt_bias": "ssm_dt.bias",
    "A_log": "ssm_a",
    "D": "ssm_d",
    "in_proj_a": "ssm_alpha",
    "in_proj_b": "ssm_beta",
    "b_proj": "ssm_beta",
    "in_proj_ba": "ssm_ba",
    "f_a_proj": "ssm_f_a",
    "f_b_proj": "ssm_f_b",
    "g_a_proj": "ssm_g_a",
    "g_b_proj": "ssm_g_b",
    "o_norm": "ssm_norm",
}
_FEED_FORWARD = {
    **dict.fromkeys(("gate_proj", "w1", "c_fc_0"), "ffn_gate"),
    **dict.fromkeys(
        ("up_proj", "w3", "v1", "fc1", "c_fc", "c_fc_1", "fc_in", "dense_h_to_4h", "gate_up_proj"),
        "ffn_up",
    ),
    **dict.fromkeys(
        ("down_proj", "w2", "fc2", "c_proj", "fc_out", "dense_4h_to_h", "output_linear", "proj_2"),
        "ffn_down",
    ),
}
_FEED_FORWARD_SUFFIX = {"mlp": "", "expert": "_exps", "shared_expert": "_shexp"}
_NORMS = {
    **dict.fromkeys(("input_layernorm", "ln_1", "operator_norm", "attention_norm"), "attn_norm"),
    **dict.fromkeys(
        ("post_attention_layernorm", "ln_2", "ffn_norm", "pre_ff_layernorm"), "ffn_norm"
    ),
    **dict.fromkeys(("q_norm", "q_layernorm", "query_layernorm"), "attn_q_norm"),
    **dict.fromkeys(("k_norm", "k_layernorm", "key_layernorm"), "attn_k_norm"),
    "q_a_layernorm": "attn_q_a_norm",
    "kv_a_layernorm": "attn_kv_a_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
_OTHER = {
    "correction_coefs": "altup_correct_coef",
    "prediction_coefs": "altup_predict_coef",
    "correct_output_scale": "altup_correct_scale",
    "modality_router": "altup_router",
    "router_norm": "altup_router_norm",
    "linear_left": "laurel_l",
    "linear_right": "laurel_r",
    "post_laurel_norm": "laurel_post_norm",
    "per_layer_input_gate": "inp_gate",
    "per_layer_projection": "proj",
    "layer_scalar": "layer_output_scale",
    "fc1_latent_proj": "ffn_latent_down",
    "fc2_latent_proj": "ffn_latent_up",
    "shared_head.norm": "nextn.shared_head_norm",
    "eh_proj": "nextn.eh_proj",
    "fc": "nextn.eh_proj",
    "enorm": "nextn.enorm",
    "hnorm": "nextn.hnorm",
}


@cache
def gguf_name(name: str, kind: str) -> str:
    """The GGUF name, with `{}` for the layer: `model.layers.{}.mlp.up_proj.weight` of kind mlp is
    `blk.{}.ffn_up.weight`. A name that is not known keeps its own last parts.
    """
    before, inside, after = name.partition("{}.")
    stem, suffix = _split(after.replace("{}.", "") if inside else before)
    last = stem.rpartition(".")[2]
    if not inside:
        return f"{_OUTSIDE.get(last, stem)}{suffix}"
    if kind == "router" and "bias" in last:
        return "blk.{}.exp_probs_b.bias"
    return f"blk.{{}}.{_WHOLE.get(stem) or _inside(stem, last, kind)}{suffix}"


def _inside(stem: str, last: str, kind: str) -> str:
    if kind == "router":
        return "ffn_gate_inp"
    table = {
        "attention": _ATTENTION,
        "recurrent": _RECURRENT,
        "norm": _NORMS,
        "other": _OTHER,
    }.get(kind, _FEED_FORWARD)
    found = table.get(last) or table.get(last.removesuffix("_bias"))
    if found is None:
        return _OTHER.get(last, stem)
    return found + (_FEED_FORWARD_SUFFIX.get(kind, "") if table is _FEED_FORWARD else "")


def _split(name: str) -> tuple[str, str]:
    """Without and with the part that says weight or bias; experts' stacked matrices are weights."""
    for suffix in (".weight", ".bias"):
        if name.endswith(suffix):
            return name.removesuffix(suffix), suffix
    last = name.rpartition(".")[2]
    if last.endswith(("_proj", "_linear")):
        return name, ".weight"
    if last.endswith("_proj_bias"):
        return name, ".bias"
    return name, ""


@cache
def category(name: str) -> Category:
    """The group of rules that a GGUF name falls under."""
    if name == "output.weight":
        return "output"
    if name in ("token_embd.weight", "per_layer_token_embd.weight"):
        return "embedding"
    return next((group for part, group in _CATEGORIES if part in name), "other")


_CATEGORIES: tuple[tuple[str, Category], ...] = (
    ("attn_qkv.weight", "fused"),
    ("attn_kv_b.weight", "latent"),
    ("attn_v.weight", "value"),
    ("attn_k.weight", "key"),
    ("attn_q.weight", "query"),
    ("attn_output.weight", "attention_output"),
    ("ffn_up", "up"),
    ("ffn_gate", "gate"),
    ("ffn_down", "down"),
)

_NEVER_QUANTIZED = (
    *("_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel"),
    *("per_layer_model_proj", "ssm_conv1d", "shortconv.conv.weight", "position_embd"),
    *("token_types", "indexer.k_proj.weight", "indexer.q_proj.weight"),
)

_ALWAYS_F32 = (
    *("_norm.weight", "ffn_gate_inp", "position_embd", "token_types", "ssm_conv1d"),
    *("shortconv.conv", "altup_correct_coef", "altup_predict_coef"),
)


@cache
def never_quantized(name: str) -> bool:
    """Whatever its shape: norms, routers, convolutions, positions, and what is no weight."""
    return not name.endswith("weight") or any(part in name for part in _NEVER_QUANTIZED)


@cache
def always_f32(name: str) -> bool:
    """The converter writes F32 whatever it is asked for. Vectors are F32 too."""
    return not name.endswith(".weight") or any(part in name for part in _ALWAYS_F32)


def in_main_file(tensor: Tensor) -> bool:
    """Towers and projectors go to a file of their own (mmproj)."""
    return tensor.part in ("text", "mtp") and tensor.kind not in ("vision", "projector")
