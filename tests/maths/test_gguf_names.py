"""Which tensors the converter writes for families with names and habits of their own."""

from typing import Any

import pytest

from calculators.maths.packing.gguf import pack
from calculators.maths.packing.gguf_layout import stored_tensors
from calculators.maths.packing.gguf_names import category, gguf_name, never_quantized
from calculators.maths.tensors import architecture
from tests.maths.test_tensors_further import OPENELM
from tests.maths.test_tensors_unseen import keys

INTERNLM_2 = keys("internlm2", "4096 x 32 x 32 x 8 x 14336 x 92544")
QWEN_1 = keys("qwen", "4096 x 32 x 32 x 32 x 22016 x 151936")
BAICHUAN = keys("baichuan", "4096 x 32 x 32 x 32 x 11008 x 64000")
PHI_2 = keys("phi", "2560 x 32 x 32 x 32 x 10240 x 51200")
GLM_4 = {
    "model_type": "chatglm",
    "add_qkv_bias": True,
    "ffn_hidden_size": 13696,
    "hidden_size": 4096,
    "kv_channels": 128,
    "multi_query_attention": True,
    "multi_query_group_num": 2,
    "num_attention_heads": 32,
    "num_layers": 40,
    "padded_vocab_size": 151552,
}

WRITTEN: list[tuple[dict[str, Any], str, dict[str, tuple[int, ...]]]] = [
    # config, month of the converter, names with their shapes
    (
        INTERNLM_2,
        "2024-06",
        {
            "token_embd.weight": (92544, 4096),
            "blk.{}.attn_q.weight": (4096, 4096),
            "blk.{}.attn_k.weight": (1024, 4096),
            "blk.{}.attn_v.weight": (1024, 4096),
        },
    ),
    (BAICHUAN, "2024-06", {"blk.{}.attn_v.weight": (4096, 4096)}),
    (
        QWEN_1,
        "2024-01",
        {
            "blk.{}.attn_qkv.weight": (12288, 4096),
            "blk.{}.ffn_gate.weight": (11008, 4096),
            "blk.{}.ffn_up.weight": (11008, 4096),
            "blk.{}.ffn_down.weight": (4096, 11008),
        },
    ),
    (GLM_4, "2024-08", {"output.weight": (151552, 4096), "blk.{}.ffn_up.weight": (27392, 4096)}),
    (PHI_2, "2023-12", {"blk.{}.attn_qkv.weight": (7680, 2560), "blk.{}.attn_qkv.bias": (7680,)}),
    (PHI_2, "2024-06", {"blk.{}.attn_q.weight": (2560, 2560)}),
    (OPENELM, "2024-08", {"token_embd.weight": (32000, 1280)}),
]


@pytest.mark.parametrize(("config", "built", "expected"), WRITTEN)
def test_written(config: dict[str, Any], built: str, expected: dict[str, tuple[int, ...]]) -> None:
    model = architecture(config)
    stored = {item.tensor.name: item.tensor.shape for item in stored_tensors(model, built)}
    assert expected.items() <= stored.items()
    assert sum(item.tensor.parameters for item in stored_tensors(model, built)) == model.parameters


def test_q2_k_of_2023_kept_grouped_values_at_q3_k() -> None:
    """TheBloke's Mistral 7B Instruct v0.2 Q2_K is 3.08 GB; the rule of 2024 makes 3.10."""
    mistral = architecture(keys("mistral", "4096 x 32 x 32 x 8 x 14336 x 32000"))
    sizes = {built: pack(mistral, "Q2_K", built=built).file_bytes for built in ("2023-12", "")}
    assert round(sizes["2023-12"] / 1e9, 2) == 3.08
    assert sizes["2023-12"] != sizes[""]


@pytest.mark.parametrize(
    ("name", "kind", "expected", "group", "kept"),
    [
        ("model.embed_tokens.weight", "embedding", "token_embd.weight", "embedding", False),
        ("lm_head.weight", "head", "output.weight", "output", False),
        (
            "model.layers.{}.self_attn.v_proj.weight",
            "attention",
            "blk.{}.attn_v.weight",
            "value",
            False,
        ),
        (
            "model.layers.{}.mlp.experts.{}.down_proj.weight",
            "expert",
            "blk.{}.ffn_down_exps.weight",
            "down",
            False,
        ),
        (
            "model.layers.{}.block_sparse_moe.experts.{}.w1.weight",
            "expert",
            "blk.{}.ffn_gate_exps.weight",
            "gate",
            False,
        ),
        (
            "model.layers.{}.mlp.gate.weight",
            "router",
            "blk.{}.ffn_gate_inp.weight",
            "gate",
            True,
        ),
        (
            "model.layers.{}.linear_attn.in_proj_qkv.weight",
            "recurrent",
            "blk.{}.attn_qkv.weight",
            "fused",
            False,
        ),
        (
            "model.layers.{}.linear_attn.conv1d.weight",
            "recurrent",
            "blk.{}.ssm_conv1d.weight",
            "other",
            True,
        ),
        (
            "model.layers.{}.linear_attn.dt_bias",
            "recurrent",
            "blk.{}.ssm_dt.bias",
            "other",
            True,
        ),
    ],
)
def test_a_name_decides_group_and_whether_it_is_kept(
    name: str, kind: str, expected: str, group: str, kept: bool
) -> None:
    found = gguf_name(name, kind)
    assert (found, category(found), never_quantized(found)) == (expected, group, kept)
