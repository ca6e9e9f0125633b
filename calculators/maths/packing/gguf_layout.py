"""The tensors of a GGUF file: what convert_hf_to_gguf.py splits, stacks, adds and leaves out.

Source: ggml-org/llama.cpp:conversion/*.py, the file named beside each rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from calculators.maths.packing.gguf_names import gguf_name, in_main_file
from calculators.maths.tensors import Architecture, Attention, Tensor

MLA_SPLIT_SINCE = "2025-04"  # ggml-org/llama.cpp#12801, merged 2025-04-15

# The converter of 2025-12 wrote Qwen3-Next's fused projection as ssm_in (807 tensors in the log of
# ggml-org/llama.cpp#16095, 843 when split); that of 2026-02, which reads Qwen3.5 too, splits it.
DELTA_NET_SPLIT_SINCE = "2026-02"

# Fused projections that the converter takes apart: internlm.py@32e9e044, baichuan.py@7bca1fd9,
# bailingmoe.py@051139f5 (version 2 keeps its own).
SPLITS_QKV = {
    "internlm2": "wqkv",
    "baichuan": "W_pack",
    "bailing_moe": "query_key_value",
}

# The repositories of Phi-1, 1.5 and 2 held one fused projection until they were written anew for
# Transformers' own class in 2024-01 (seen in TheBloke's files of phi-2, of 2023-12).
FUSED_UNTIL = {"phi": "2024-01"}

# Multi-token-prediction blocks. Always written: conversion/glm.py@051139f5. Written since
# ggml-org/llama.cpp#22673 (2026-05) taught it to use them: qwen.py@03173d5e, step3.py@0bbad317,
# glm.py@051139f5, nemotron.py@003ebfc1, mimo.py@051139f5. DeepSeek's are dropped (deepseek.py).
KEEPS_MTP = frozenset({"glm4_moe", "glm_moe_dsa", "solar_open"})
MTP_SINCE = "2026-05"
KEEPS_MTP_SINCE = frozenset(
    {"qwen3_5", "qwen3_5_moe", "step3p5", "glm4_moe_lite", "nemotron_h", "mimo_v2_flash"}
)

# Tied models whose file has the head all the same: Falcon's checkpoint holds a copy (seen in the
# exact bytes of nomic-ai/gpt4all-falcon), and the converter of 2023 wrote one for MPT.
COPIES_HEAD = frozenset({"falcon", "mpt"})

# conversion/gemma.py@061b8c5f removes the rows of Gemma 3's embedding that its tokenizer does not
# have (262,208 in the config).
GEMMA3_TOKENS = 262_144

# conversion/gemma.py@061b8c5f keeps gate and up of all experts in one tensor, and writes rotary
# factors for the heads of full attention.
GEMMA4 = frozenset({"gemma4", "gemma4_text", "gemma4_unified"})


@dataclass(frozen=True)
class Stored:
    """All GGUF tensors of one name: `tensor` has that name, and the experts' axis in its shape."""

    tensor: Tensor
    count: int  # tensors in the file

    @cached_property
    def dimensions(self) -> tuple[int, ...]:
        """Outermost first; leading axes of 1 do not count (ggml_n_dims)."""
        shape = self.tensor.shape
        if self.tensor.copies > 1:
            shape = (self.tensor.copies, *shape)
        while len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
        return shape

    @property
    def columns(self) -> int:
        return self.tensor.shape[-1]


def stored_tensors(architecture: Architecture, built: str) -> Iterator[Stored]:
    """Every tensor of the main file. `built` is the month (YYYY-MM) of the llama.cpp used."""
    for tensor in architecture.tensors:
        if not in_main_file(tensor) or (tensor.part == "mtp" and not _keeps(architecture, built)):
            continue
        numbered = _fused(architecture, _renumbered(architecture, tensor), built)
        for part in _split(architecture, numbered, built) if numbered else ():
            yield Stored(part, max(1, len(part.layers)))
    yield from (Stored(tensor, 1) for tensor in _added(architecture))


def _keeps(architecture: Architecture, built: str) -> bool:
    """The prediction blocks."""
    since = architecture.model_type in KEEPS_MTP_SINCE and built >= MTP_SINCE
    return since or architecture.model_type in KEEPS_MTP


def _renumbered(architecture: Architecture, tensor: Tensor) -> Tensor:
    """Prediction blocks follow the layers, though some checkpoints count them from 0."""
    count = len(architecture.layers)
    if tensor.part != "mtp" or not tensor.layers or tensor.layers[0] >= count:
        return tensor
    return replace(tensor, layers=tuple(count + layer for layer in tensor.layers))


def _fused(architecture: Architecture, tensor: Tensor, built: str) -> Tensor | None:
    """Query, key and value in one, where the files of that time had them so: in the query's place,
    with all their rows; None for the key and the value.
    """
    if tensor.kind != "attention" or built >= FUSED_UNTIL.get(architecture.model_type, ""):
        return tensor
    attention = _attention(architecture, tensor)
    module = tensor.name.split(".")[-2]
    if attention is None or module not in ("q_proj", "k_proj", "v_proj"):
        return tensor
    if module != "q_proj":
        return None
    keys = attention.key_value_heads * (attention.head_dim + attention.value_head_dim)
    shape = (tensor.shape[0] + keys, *tensor.shape[1:])
    return replace(tensor, name=tensor.name.replace("q_proj", "qkv_proj"), shape=shape)


def _split(architecture: Architecture, tensor: Tensor, built: str) -> Iterator[Tensor]:
    """The tensor under its GGUF name or names."""
    name = gguf_name(tensor.name, tensor.kind)
    shape = _squeezed(tensor)
    if "attn_kv_b." in name and built >= MLA_SPLIT_SINCE:
        yield from _absorbed(architecture, replace(tensor, name=name))
    elif "in_proj_qkvz" in tensor.name and built >= DELTA_NET_SPLIT_SINCE:
        yield from _delta_net(architecture, replace(tensor, name=name))
    elif SPLITS_QKV.get(architecture.model_type) in tensor.name.split("."):
        yield from _query_key_value(architecture, tensor)
    elif _holds_gate_and_up(tensor) and architecture.model_type not in GEMMA4:
        half = (shape[0] // 2, *shape[1:])
        suffix = {"expert": "_exps", "shared_expert": "_shexp"}.get(tensor.kind, "")
        ending = name.rpartition(".")[2]
        for part in ("gate", "up"):
            yield replace(tensor, name=f"blk.{{}}.ffn_{part}{suffix}.{ending}", shape=half)
    else:
        if architecture.model_type.startswith("gemma3") and tensor.kind in ("embedding", "head"):
            shape = (min(shape[0], GEMMA3_TOKENS), *shape[1:])
        yield replace(tensor, name=name, shape=shape)


def _squeezed(tensor: Tensor) -> tuple[int, ...]:
    """Without axes of 1: convolutions are stored [channels, width]."""
    if len(tensor.shape) < 3:
        return tensor.shape
    return tuple(length for length in tensor.shape if length != 1)


def _holds_gate_and_up(tensor: Tensor) -> bool:
    """Fused gate and up of experts; of granite's shared block (conversion/granite.py) and of
    OpenELM (openelm.py) too.
    """
    if "input_linear" in tensor.name or tensor.name.endswith("ffn.proj_1.weight"):
        return True
    return tensor.kind == "expert" and "gate_up_proj" in tensor.name


def _absorbed(architecture: Architecture, tensor: Tensor) -> Iterator[Tensor]:
    """Latent attention: kv_b becomes k_b, transposed, and v_b (conversion/deepseek.py)."""
    attention = _attention(architecture, tensor)
    if attention is None or attention.latent is None:
        yield tensor
        return
    rank = attention.latent.kv_lora_rank
    heads = attention.query_heads
    nope = attention.head_dim - attention.latent.rope_head_dim
    prefix = "blk.{}.attn_"
    yield replace(tensor, name=f"{prefix}k_b.weight", shape=(heads, rank, nope))
    yield replace(tensor, name=f"{prefix}v_b.weight", shape=(heads, attention.value_head_dim, rank))


def _query_key_value(architecture: Architecture, tensor: Tensor) -> Iterator[Tensor]:
    """The three projections of a fused one, weight or bias."""
    attention = _attention(architecture, tensor)
    if attention is None:
        yield tensor
        return
    heads, per_value = attention.key_value_heads, attention.value_head_dim
    rows = (attention.query_heads * attention.head_dim, heads * attention.head_dim)
    ending = tensor.name.rpartition(".")[2]
    for part, count in zip("qkv", (*rows, heads * per_value), strict=True):
        shape = (count, *tensor.shape[1:])
        yield replace(tensor, name=f"blk.{{}}.attn_{part}.{ending}", shape=shape)


def _delta_net(architecture: Architecture, tensor: Tensor) -> Iterator[Tensor]:
    """Qwen3-Next: the fused projection becomes attn_qkv and attn_gate (conversion/qwen.py)."""
    rows, columns = tensor.shape
    convolution = next(
        other for other in architecture.tensors if other.name.endswith("linear_attn.conv1d.weight")
    )
    yield replace(tensor, name="blk.{}.attn_qkv.weight", shape=(convolution.shape[0], columns))
    gate = rows - convolution.shape[0]
    yield replace(tensor, name="blk.{}.attn_gate.weight", shape=(gate, columns))


def _attention(architecture: Architecture, tensor: Tensor) -> Attention | None:
    """That of the tensor's first layer; a prediction block has that of the last layer."""
    index = min(tensor.layers[0] if tensor.layers else 0, len(architecture.layers) - 1)
    mixers = architecture.layers[index].mixers
    return next((mixer for mixer in mixers if isinstance(mixer, Attention)), None)


def _added(architecture: Architecture) -> Iterator[Tensor]:
    """A copied head; rotary factors: llama.py@0274f0fc, phi.py@051139f5, gemma.py@061b8c5f."""
    if architecture.tied and architecture.model_type in COPIES_HEAD:
        shape = (architecture.vocab_size, architecture.hidden_size)
        yield Tensor("output.weight", shape, "head")
    for name, length in rope_factors(architecture):
        yield Tensor(f"{name}.weight", (length,), "other", linear=False)


def rope_factors(architecture: Architecture) -> Iterator[tuple[str, int]]:
    """Name and length of each; F32, one factor for every pair of rotated dimensions."""
    rope = architecture.rope or {}
    kind = rope.get("rope_type", rope.get("type"))
    pairs = max((mixer.head_dim for mixer in _attentions(architecture)), default=0) // 2
    if pairs and (kind == "llama3" or architecture.model_type in GEMMA4):
        yield "rope_freqs", pairs
    for length in ("long", "short"):
        factors = rope.get(f"{length}_factor")
        if isinstance(factors, list):
            yield f"rope_factors_{length}", len(factors)


def _attentions(architecture: Architecture) -> Iterator[Attention]:
    for layer in architecture.layers:
        for mixer in layer.mixers:
            if isinstance(mixer, Attention):
                yield mixer
