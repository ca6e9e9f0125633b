"""Further families by their published counts, and odd configs that are legal or refused."""

from typing import Any

import pytest

from calculators.maths.packing import checkpoint
from calculators.maths.tensors import UnknownArchitecture, architecture
from tests.maths.test_tensors_unseen import keys

LLAMA = keys("llama", "4096 x 32 x 32 x 8 x 14336 x 128256")
OPENELM = {
    "model_type": "openelm",
    "model_dim": 1280,
    "head_dim": 64,
    "num_transformer_layers": 16,
    "num_query_heads": [12] * 5 + [16] * 7 + [20] * 4,
    "num_kv_heads": [3] * 5 + [4] * 7 + [5] * 4,
    "ffn_multipliers": [
        *(0.5, 0.73, 0.97, 1.2, 1.43, 1.67, 1.9, 2.13),
        *(2.37, 2.6, 2.83, 3.07, 3.3, 3.53, 3.77, 4.0),
    ],
    "ffn_dim_divisor": 256,
    "normalize_qk_projections": True,
    "share_input_output_layers": True,
    "vocab_size": 32000,
}
DBRX = {
    "model_type": "dbrx",
    "d_model": 6144,
    "n_heads": 48,
    "n_layers": 40,
    "vocab_size": 100352,
    "max_seq_len": 32768,
    "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4},
    "attn_config": {"kv_n_heads": 8, "clip_qkv": 8},
}
INTERNVL = {
    "model_type": "internvl_chat",
    "downsample_ratio": 0.5,
    "llm_config": keys("qwen2", "3584 x 28 x 28 x 4 x 18944 x 151674"),
    "vision_config": {
        "hidden_size": 1024,
        "image_size": 448,
        "intermediate_size": 4096,
        "num_attention_heads": 16,
        "num_hidden_layers": 24,
        "patch_size": 14,
        "qkv_bias": True,
        "norm_type": "layer_norm",
    },
}
HF = "https://huggingface.co/"

# name, config, published elements, source of the count
COUNTS: list[tuple[str, dict[str, Any], int, str]] = [
    (
        "openbmb/MiniCPM-2B-sft-bf16",
        keys("minicpm", "2304 x 40 x 36 x 36 x 5760 x 122753"),
        2_724_880_896,
        HF + "openbmb/MiniCPM-2B-sft-bf16",
    ),
    (
        "openbmb/MiniCPM4-0.5B",
        keys("minicpm", "1024 x 24 x 16 x 2 x 4096 x 73448"),
        433_873_920,
        "github.com/stormychel/llmfit:llmfit-core/data/hf_models.json@063a4e40",
    ),
    ("apple/OpenELM-270M", OPENELM, 271_527_168, HF + "apple/OpenELM-270M"),
    ("databricks/dbrx-base", DBRX, 131_596_523_520, HF + "databricks/dbrx-base"),
    ("OpenGVLab/InternVL3-8B", INTERNVL, 7_944_373_760, HF + "OpenGVLab/InternVL3-8B"),
    (
        "Deci/DeciLM-7B",  # 67 KV heads in all; which layer has how many does not change the count
        {
            **keys("deci", "4096 x 32 x 32 x 4 x 14336 x 32000"),
            "num_key_value_heads_per_layer": [4] * 3 + [2] * 26 + [1] * 3,
        },
        7_043_551_232,
        HF + "Deci/DeciLM-7B",
    ),
]


@pytest.mark.parametrize(("name", "config", "published", "source"), COUNTS)
def test_counts(name: str, config: dict[str, Any], published: int, source: str) -> None:
    assert architecture(config).parameters == published, f"{name}: {source}"


# what differs from Llama 3.1 8B; the same model all the same
SAME: list[dict[str, Any]] = [
    {"rope_scaling": None},
    {"head_dim": None},
    {"hidden_size": 4096.0},
    {"dtype": "float16"},
    {"torch_dtype": "torch.float16"},
    {"quantization_config": None},
    {"quantization_config": {}},
    {"is_encoder_decoder": False},
    {"sliding_window": 4096},
    {"model_type": None, "architectures": ["LlamaForCausalLM"]},
]


@pytest.mark.parametrize("keys", SAME, ids=str)
def test_the_same_model(keys: dict[str, Any]) -> None:
    assert architecture({**LLAMA, **keys}).parameters == 8_030_261_248


# what differs from Llama 3.1 8B, what the refusal says
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"is_encoder_decoder": True}, "encoder and a decoder"),
    ({"num_key_value_heads": 7}, "32 num_attention_heads do not share 7"),
    ({"num_key_value_heads": [8] * 32}, "num_key_value_heads is .*not a whole number"),
    ({"intermediate_size": [14336] * 32}, "intermediate_size is .*not a whole number"),
    ({"model_type": "rwkv"}, "'rwkv' is not known"),
    ({"model_type": "deci"}, "num_key_value_heads_per_layer is missing"),
    ({"model_type": "deci", "num_key_value_heads_per_layer": [4]}, "1 entries for 32 layers"),
    ({"model_type": "openelm"}, "num_query_heads, num_kv_heads, ffn_multipliers.* are missing"),
    ({"model_type": "dbrx"}, "attn_config, ffn_config are missing"),
    ({"model_type": "internvl_chat"}, "llm_config, vision_config are missing"),
]


@pytest.mark.parametrize(("keys", "said"), REFUSED, ids=str)
def test_refused_in_plain_words(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UnknownArchitecture, match=said):
        architecture({**LLAMA, **keys})


@pytest.mark.parametrize("config", [OPENELM, DBRX, INTERNVL], ids=lambda c: str(c["model_type"]))
@pytest.mark.parametrize("format", ["bf16", "awq", "gguf-q4_k_m", "mlx", "fp8", "exl3"])
def test_every_format_packs_them(config: dict[str, Any], format: str) -> None:
    settings = "&group_size=64" if format == "awq" else ""
    assert checkpoint(architecture(config), f"format={format}{settings}").tensor_bytes
