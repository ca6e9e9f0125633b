"""Mixtures and hybrids that the catalogue does not hold, against their published totals."""

from typing import Any

import pytest

from calculators.maths.tensors import architecture


def vl_tower(depth: int, hidden: int, width: int, out: int) -> dict[str, Any]:
    return {
        "depth": depth,
        "hidden_size": hidden,
        "intermediate_size": width,
        "num_heads": hidden // 64,
        "num_position_embeddings": 2304,
        "out_hidden_size": out,
        "patch_size": 16,
        "deepstack_visual_indexes": [],
    }


LFM2 = {"model_type": "lfm2", "num_key_value_heads": 8, "vocab_size": 65536}
LFM2_FULL = {"num_hidden_layers": 16, "full_attn_idxs": [2, 5, 8, 10, 12, 14]}
QWEN35 = {
    "num_hidden_layers": 24,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 256,
    "vocab_size": 248320,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 16,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "mtp_num_hidden_layers": 1,
}
PHI = {
    "model_type": "phimoe",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "vocab_size": 32064,
    "num_local_experts": 16,
    "num_experts_per_tok": 2,
    "attention_bias": True,
    "lm_head_bias": True,
}
MAMBA = {"vocab_size": 50280, "state_size": 16}
K_EXAONE = {
    "model_type": "exaone_moe",
    "hidden_size": 6144,
    "num_hidden_layers": 48,
    "vocab_size": 153600,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "num_nextn_predict_layers": 1,
}
DEEPSEEK_V25 = {
    "model_type": "deepseek_v2",
    "hidden_size": 5120,
    "num_hidden_layers": 60,
    "vocab_size": 102400,
    "intermediate_size": 12288,
    "moe_intermediate_size": 1536,
    "n_routed_experts": 160,
    "num_experts_per_tok": 6,
    "num_attention_heads": 128,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    "first_k_dense_replace": 1,
}

# Models outside the catalogue: their sizes as the model cards give them, keys that equal the
# default of the class left out, against the Hugging Face API's totals in
# github.com/stormychel/llmfit:llmfit-core/data/hf_models.json@063a4e40.
UNSEEN: list[tuple[str, int, dict[str, Any]]] = [
    ("deepseek-ai/DeepSeek-V2.5", 235_741_434_880, DEEPSEEK_V25),
    ("LGAI-EXAONE/K-EXAONE-236B-A23B", 237_099_669_632, K_EXAONE),
    (
        "Qwen/Qwen3-Coder-480B-A35B-Instruct",
        480_154_875_392,
        {
            "model_type": "qwen3_moe",
            "hidden_size": 6144,
            "num_hidden_layers": 62,
            "vocab_size": 151936,
            "moe_intermediate_size": 2560,
            "num_experts": 160,
            "num_experts_per_tok": 8,
            "num_attention_heads": 96,
            "num_key_value_heads": 8,
            "head_dim": 128,
        },
    ),
    (
        "rednote-hilab/dots.llm1.inst",
        142_774_381_696,
        {
            "model_type": "dots1",
            "hidden_size": 4096,
            "num_hidden_layers": 62,
            "vocab_size": 152064,
            "intermediate_size": 10944,
            "moe_intermediate_size": 1408,
            "n_routed_experts": 128,
            "n_shared_experts": 2,
            "num_experts_per_tok": 6,
            "num_attention_heads": 32,
            "first_k_dense_replace": 1,
        },
    ),
    (
        "deepseek-ai/deepseek-moe-16b-base",
        16_375_728_128,
        {
            "model_type": "deepseek",
            "hidden_size": 2048,
            "num_hidden_layers": 28,
            "vocab_size": 102400,
            "intermediate_size": 10944,
            "moe_intermediate_size": 1408,
            "n_routed_experts": 64,
            "n_shared_experts": 2,
            "num_experts_per_tok": 6,
            "num_attention_heads": 16,
            "first_k_dense_replace": 1,
        },
    ),
    (
        "inclusionAI/Ling-lite",
        16_801_974_272,
        {
            "model_type": "bailing_moe",
            "hidden_size": 2048,
            "num_hidden_layers": 28,
            "vocab_size": 126464,
            "moe_intermediate_size": 1408,
            "num_experts": 64,
            "num_shared_experts": 2,
            "num_experts_per_tok": 6,
            "num_attention_heads": 16,
            "num_key_value_heads": 4,
        },
    ),
    (
        "ibm-research/PowerMoE-3b",
        3_374_286_336,
        {
            "model_type": "granitemoe",
            "hidden_size": 1536,
            "num_hidden_layers": 32,
            "vocab_size": 49152,
            "intermediate_size": 512,
            "num_local_experts": 40,
            "num_experts_per_tok": 8,
            "num_attention_heads": 24,
            "num_key_value_heads": 8,
        },
    ),
    (
        "microsoft/Phi-mini-MoE-instruct",
        7_647_632_704,
        PHI | {"intermediate_size": 960, "num_attention_heads": 32, "num_key_value_heads": 8},
    ),
    (
        "microsoft/Phi-tiny-MoE-instruct",
        3_755_220_288,
        PHI
        | {
            "intermediate_size": 448,
            "num_attention_heads": 16,
            "num_key_value_heads": 4,
            "head_dim": 128,
        },
    ),
    (
        "nvidia/Nemotron-H-4B-Base-8K",
        4_489_223_040,
        {
            "model_type": "nemotron_h",
            "hidden_size": 3072,
            "hybrid_override_pattern": "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
            "vocab_size": 131072,
            "intermediate_size": 12288,
            "num_attention_heads": 32,
            "mamba_num_heads": 112,
            "mamba_head_dim": 64,
        },
    ),
    (
        "Qwen/Qwen3.5-0.8B",
        873_438_784,
        {
            "model_type": "qwen3_5",
            "tie_word_embeddings": True,
            "text_config": QWEN35 | {"hidden_size": 1024, "intermediate_size": 3584},
            "vision_config": vl_tower(12, 768, 3072, 1024),
        },
    ),
    (
        "Qwen/Qwen3.5-2B",
        2_274_069_824,
        {
            "model_type": "qwen3_5",
            "tie_word_embeddings": True,
            "text_config": QWEN35 | {"hidden_size": 2048, "intermediate_size": 6144},
            "vision_config": vl_tower(24, 1024, 4096, 2048),
        },
    ),
    (
        "LiquidAI/LFM2-350M",
        354_483_968,
        LFM2 | LFM2_FULL | {"hidden_size": 1024, "num_attention_heads": 16, "block_ff_dim": 6656},
    ),
    (
        "LiquidAI/LFM2-1.2B",
        1_170_340_608,
        LFM2 | LFM2_FULL | {"hidden_size": 2048, "num_attention_heads": 32, "block_ff_dim": 12288},
    ),
    (
        # Its total leaves out the 22 x 32 biases that steer the routers, which are buffers.
        "LiquidAI/LFM2-8B-A1B",
        8_339_929_856 + 22 * 32,
        LFM2
        | {
            "model_type": "lfm2_moe",
            "hidden_size": 2048,
            "num_hidden_layers": 24,
            "num_attention_heads": 32,
            "intermediate_size": 7168,
            "moe_intermediate_size": 1792,
            "num_experts": 32,
            "num_experts_per_tok": 4,
            "layer_types": [
                "full_attention" if index in (2, 6, 10, 14, 18, 21) else "conv"
                for index in range(24)
            ],
        },
    ),
    (
        # Without its prediction block: a layer with an MLP of 28672 and a projection of two
        # states into one, 989,888,512 in all, which the PyTorch files of the 21B do not have.
        "baidu/ERNIE-4.5-300B-A47B-Paddle",
        300_474_051_776 - 989_888_512,
        {
            "model_type": "ernie4_5_moe",
            "tie_word_embeddings": False,
            "hidden_size": 8192,
            "num_hidden_layers": 54,
            "vocab_size": 103424,
            "intermediate_size": 28672,
            "moe_intermediate_size": 3584,
            "moe_num_experts": 64,
            "moe_k": 8,
            "moe_num_shared_experts": 0,
            "moe_layer_start_index": 3,
            "num_attention_heads": 64,
            "num_key_value_heads": 8,
        },
    ),
    (
        "state-spaces/mamba-130m-hf",
        129_135_360,
        MAMBA | {"model_type": "mamba", "hidden_size": 768, "num_hidden_layers": 24},
    ),
]


@pytest.mark.parametrize(("name", "expected", "config"), UNSEEN, ids=[row[0] for row in UNSEEN])
def test_counts_models_outside_the_catalogue(
    name: str, expected: int, config: dict[str, Any]
) -> None:
    assert architecture(config).parameters == expected
