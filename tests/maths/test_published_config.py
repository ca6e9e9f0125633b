"""What a published `quantization_config` says of the checkpoint that it stands in."""

import re
from typing import Any

import pytest

from calculators.facts import rows
from calculators.maths.packing import checkpoint
from calculators.maths.packing.ways import UnknownQuantization
from calculators.maths.tensors import architecture

CONFIGS = {row["id"]: row["config"] for row in rows("models")}
LLAMA = CONFIGS["meta-llama/Llama-3.1-8B"]
LAYERS = [f"model.layers.{layer}" for layer in range(32)]


def published(quantization: dict[str, Any], key: str = "quantization_config") -> dict[str, str]:
    """How each kind of matrix is stored, and the total under `bytes`."""
    packed = checkpoint(architecture({**LLAMA, key: quantization}), "format=original")
    stored: dict[str, set[str]] = {}
    for part in packed.parts:
        name = re.sub(r"(?:.*\.)?(\w+)\.weight", r"\1", part.tensor.name)
        stored.setdefault(name, set()).add(part.stored_as)
    return {name: " ".join(sorted(ways)) for name, ways in stored.items()}


SAME: list[tuple[dict[str, Any], str]] = [
    # a quantization_config, the recipe whose bytes it has
    ({"quant_method": "awq", "w_bit": 4, "q_group_size": 64}, "format=awq&group_size=64"),
    (
        {"quant_method": "gptq", "bits": 4, "meta": {"quantizer": ["gptqmodel:2.0"]}},
        "format=gptq&zero_bias=false",
    ),
    ({"quant_method": "gptq", "bits": 4, "lm_head": True}, "format=gptq&keep=default,-head"),
    (
        {"quant_method": "gptq", "bits": 4, "dynamic": {"-:.*self_attn.*": {}}},
        "format=gptq&keep=default,attention",
    ),
    ({"quant_method": "exl2", "bits": 4.0, "head_bits": 6}, "format=exl2&bpw=4.0"),
    ({"quant_method": "exl3", "bits": 3.0, "head_bits": 6}, "format=exl3&bpw=3.0"),
    ({"bits": 4, "group_size": 64}, "format=mlx"),
    ({"bits": 8, "group_size": 32, "mode": "affine"}, "format=mlx&bits=8&group_size=32"),
    (
        {
            "quant_method": "hqq",
            "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}},
        },
        "format=hqq",
    ),
    ({"quant_algo": "FP8", "producer": {"name": "modelopt"}, "ignore": ["lm_head"]}, "format=fp8"),
    ({"quant_method": "modelopt", "quantization": {"quant_algo": "FP8"}}, "format=fp8"),
    (
        {
            "quant_method": "compressed-tensors",
            "config_groups": {
                "group_0": {
                    "targets": ["Linear"],
                    "weights": {"num_bits": 4, "type": "int", "strategy": "group"}
                    | {"group_size": 128, "symmetric": True},
                }
            },
            "ignore": ["lm_head"],
        },
        "format=w4a16",
    ),
]


@pytest.mark.parametrize(("quantization", "recipe"), SAME, ids=str)
def test_a_config_says_how_it_was_made(quantization: dict[str, Any], recipe: str) -> None:
    said = architecture({**LLAMA, "quantization_config": quantization})
    expected = checkpoint(architecture(LLAMA), recipe).tensor_bytes
    assert checkpoint(said, "format=original").tensor_bytes == expected


def test_mlx_may_call_it_quantization_alone() -> None:
    assert published({"bits": 4, "group_size": 64}, "quantization")["q_proj"] == "mlx 4 bits g64"


def test_mlx_routers_are_packed_as_the_config_lists_them() -> None:
    """Tools of before August 2025 listed none: `mlx_lm.convert` packed them as the rest."""
    config = CONFIGS["Qwen/Qwen3-30B-A3B"]
    plain = {"bits": 4, "group_size": 64}
    listed = {**plain, "model.layers.0.mlp.gate": {"bits": 8, "group_size": 64}}
    for said, recipe in ((plain, "format=mlx&built=2025-07"), (listed, "format=mlx")):
        published = checkpoint(architecture({**config, "quantization": said}), "format=original")
        assert published.tensor_bytes == checkpoint(architecture(config), recipe).tensor_bytes


def test_modules_have_algorithms_of_their_own() -> None:
    """As NVIDIA's Qwen3.6 NVFP4 files: MLP and head in NVFP4, attention in FP8, a block by name."""
    mixed = {
        **{f"{layer}.mlp": {"quant_algo": "W4A16_NVFP4", "group_size": 16} for layer in LAYERS},
        **{f"{layer}.self_attn.q_proj": {"quant_algo": "FP8"} for layer in LAYERS[:16]},
        "lm_head": {"quant_algo": "W4A16_NVFP4", "group_size": 16},
    }
    found = published(
        {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "quantized_layers": mixed}
    )
    assert found["up_proj"] == found["lm_head"] == "nvfp4 g16"
    assert found["q_proj"] == "bfloat16 fp8 per tensor"
    assert found["k_proj"] == found["embed_tokens"] == "bfloat16"


def test_groups_name_their_targets() -> None:
    eight = {"num_bits": 8, "type": "float", "strategy": "tensor"}
    four = {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}
    found = published(
        {
            "quant_method": "compressed-tensors",
            "config_groups": {
                "group_0": {"targets": ["Linear"], "weights": four},
                "group_1": {"targets": ["re:.*self_attn.*"], "weights": eight},
            },
            "ignore": ["lm_head"],
        }
    )
    assert found["up_proj"] == "nvfp4 g16"
    assert found["q_proj"] == "fp8 per tensor"
    assert found["lm_head"] == "bfloat16"


def test_bitsandbytes_skips_single_layers() -> None:
    found = published(
        {
            "quant_method": "bitsandbytes",
            "bnb_4bit_quant_type": "nf4",
            "llm_int8_skip_modules": ["lm_head", "model.layers.0.mlp"],
        }
    )
    assert found["up_proj"] == "bfloat16 nf4 g64"
    assert found["q_proj"] == "nf4 g64"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"quant_method": "awq", "version": "gemv"}, "awq version 'gemv'"),
    ({"quant_method": "gptq", "bits": 5}, "bits: GPTQ has 2, 3, 4, 8, not 5"),
    ({"quant_method": "gptq", "checkpoint_format": "marlin"}, "checkpoint_format 'marlin'"),
    ({"quant_method": "gptq", "dynamic": {"+:.*up.*": {"bits": 8}}}, "settings of its own"),
    ({"quant_method": "bitsandbytes", "bnb_4bit_quant_type": "int4"}, "'bnb-int4' is not known"),
    ({"quant_method": "hqq"}, "weight_quant_params is missing"),
    ({"quant_method": "modelopt", "quant_algo": "W4A8_AWQ"}, "quant_algo 'W4A8_AWQ'"),
    (
        {
            "quant_method": "modelopt",
            "quant_algo": "MIXED_PRECISION",
            "quantized_layers": {"model.layers.0.mlp": {"quant_algo": "NVFP4_SVD"}},
        },
        "quant_algo 'NVFP4_SVD'",
    ),
    ({"quant_method": "compressed-tensors"}, "config_groups is missing"),
    ({"quant_method": "fp8", "ignored_layers": "lm_head"}, "ignored_layers is no list of names"),
    ({"quant_method": "fp8", "weight_block_size": [32, 32]}, "weight_block_size"),
    ({"bits": 4, "group_size": 64, "model.layers.0.mlp.up_proj": {"bits": 8}}, "of its own"),
    ({"quant_method": "aqlm"}, "quant_method 'aqlm'"),
]


@pytest.mark.parametrize(("quantization", "said"), REFUSED, ids=str)
def test_refused_in_plain_words(quantization: dict[str, Any], said: str) -> None:
    with pytest.raises(UnknownQuantization, match=re.escape(said)):
        published(quantization)


ODD = [None, 7, "x", [1], {"a": 1}, True, ["re:("], 10**30]


def answered(quantization: dict[str, Any]) -> str:
    try:
        return str(published(quantization))
    except ValueError as refused:
        return str(refused)


@pytest.mark.parametrize("method", ["awq", "gptq", "compressed-tensors", "modelopt", "fp8", None])
@pytest.mark.parametrize("value", ODD, ids=str)
def test_odd_values_are_answered_or_refused(method: str | None, value: Any) -> None:
    keys = ("bits", "group_size", "ignore", "config_groups", "quant_algo", "quantized_layers")
    assert answered({"quant_method": method} | dict.fromkeys(keys, value))
