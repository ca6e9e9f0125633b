"""Mixtures of experts, latent attention and recurrent hybrids against published counts."""

from typing import Any

import pytest

from calculators.facts import rows
from calculators.maths.tensors import (
    Architecture,
    UnknownArchitecture,
    architecture,
)

FAMILIES = {
    *("mixtral", "phimoe", "olmoe", "qwen2_moe", "qwen3_moe", "qwen3_vl_moe", "gpt_oss"),
    *("deepseek_v2", "deepseek_v3", "deepseek_v32", "deepseek_v4", "kimi_k2", "kimi_k25"),
    *("glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "mistral4", "minimax_m1", "minimax_m2"),
    *("llama4", "ernie4_5_moe", "hunyuan_v1_moe", "hy_v3", "longcat_flash", "granitemoe"),
    *("step3p5", "step3p7", "mimo_v2_flash", "kimi_linear", "kimi_k3", "jamba", "falcon_h1"),
    *("granitemoehybrid", "nemotron_h", "qwen3_next", "qwen3_5", "qwen3_5_moe", "qwen4_exp"),
}
ROWS = {row["id"]: row for row in rows("models") if row["family"] in FAMILIES}
EXACT = [key for key, row in ROWS.items() if row["check"] in ("exact", "exact_after_adjust")]
ROUNDED = [key for key, row in ROWS.items() if row["check"] == "rounded"]
PARTIAL = [key for key, row in ROWS.items() if row["check"] == "partial"]

ROUNDED_WITHIN = 0.003  # half of the last digit that cards print, or a reason stands on the row


def of(model: str) -> Architecture:
    return architecture(ROWS[model]["config"])


@pytest.mark.parametrize("model", EXACT)
def test_counts_every_published_parameter(model: str) -> None:
    row = ROWS[model]
    adjust = sum(elements for _, elements in row.get("published_adjust", ()))
    assert of(model).parameters + adjust == row["published_parameters"]


@pytest.mark.parametrize("model", ROUNDED)
def test_comes_near_a_rounded_figure_or_says_why_not(model: str) -> None:
    row = ROWS[model]
    off = abs(of(model).parameters / row["rounded_parameters"] - 1)
    assert off <= ROUNDED_WITHIN or row.get("reason"), f"off by {off:.2%}"
    assert off <= 0.1


def test_mimo_closes_but_for_what_its_config_does_not_declare() -> None:
    # Three prediction blocks and FP8 block scales, itemised in the row's notes.
    row = ROWS["XiaomiMiMo/MiMo-V2-Flash"]
    undeclared = 3 * 329.3e6 + 18.7e6
    parameters = of("XiaomiMiMo/MiMo-V2-Flash").parameters
    assert parameters + undeclared == pytest.approx(row["published_parameters"], abs=2e5)


# Published in part only (a card or a log), with too few keys to count.
FALCON_7B = {
    "model_type": "falcon_h1",
    "hidden_size": 3072,
    "num_hidden_layers": 44,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "mamba_n_heads": 24,
    "mamba_d_ssm": 3072,
}
QWEN_38_NEXT = {"model_type": "qwen4_exp", "hidden_size": 2560, "num_hidden_layers": 48}
QWEN_38 = {"model_type": "qwen3_5", "text_config": {"hidden_size": 5120, "num_hidden_layers": 64}}
QWEN_38_MAX = {
    "model_type": "qwen3_5_moe",
    "text_config": {"hidden_size": 8192, "num_hidden_layers": 92, "num_attention_heads": 64},
}
GRANITE_31 = {"model_type": "granitemoe", "hidden_size": 1536, "num_hidden_layers": 32}
V41_FLASH = {"hidden_size": 5120, "num_hidden_layers": 40, "n_routed_experts": 384}


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        (QWEN_38, ["text_config.vocab_size"]),
        (GRANITE_31, ["vocab_size"]),
        (QWEN_38_MAX, ["text_config.vocab_size", "text_config.linear_num_value_heads"]),
        (FALCON_7B, ["vocab_size", "intermediate_size"]),
        (QWEN_38_NEXT, ["qwen4_exp"]),
        (V41_FLASH, ["model_type"]),
        (V41_FLASH | {"model_type": "deepseek_v4"}, ["vocab_size", "compress_ratios", "head_dim"]),
    ],
)
def test_a_config_too_short_to_count_is_refused_by_name(
    config: dict[str, Any], missing: list[str]
) -> None:
    with pytest.raises(UnknownArchitecture) as refused:
        architecture(config)
    assert [name for name in missing if name not in str(refused.value)] == []


@pytest.mark.parametrize("model", PARTIAL)
def test_every_partial_row_is_refused(model: str) -> None:
    with pytest.raises(UnknownArchitecture, match=r"missing|not known here"):
        of(model)


ACTIVE = [
    # (model, parameters one token uses with embedding and head in full, where the figure is from)
    ("mistralai/Mixtral-8x7B-Instruct-v0.1", 12_879_925_248),
    ("Qwen/Qwen3-30B-A3B", 3_353_032_704),
    ("Qwen/Qwen3-Next-80B-A3B-Instruct", 3_874_929_408),
    ("Qwen/Qwen3.5-397B-A17B", 17_349_040_896),
    ("deepseek-ai/DeepSeek-V3", 37_552_297_472),
    ("deepseek-ai/DeepSeek-V3.2", 38_403_822_336),
    ("deepseek-ai/DeepSeek-V4-Flash", 13_799_632_471),
    ("zai-org/GLM-5", 41_784_728_832),
    ("zai-org/GLM-5.3", 41_250_530_304),
    ("moonshotai/Kimi-K2-Instruct", 32_861_500_928),
    ("moonshotai/Kimi-Linear-48B-A3B-Instruct", 3_484_459_904),
    ("MiniMaxAI/MiniMax-M1-80k", 48_403_306_496),
    ("XiaomiMiMo/MiMo-V2-Flash", 15_445_936_320),
    ("stepfun-ai/Step-3.5-Flash", 11_987_323_968),
    ("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16", 12_770_237_440),
    ("ai21labs/AI21-Jamba-1.5-Large", 94_149_338_592),
    ("meituan-longcat/LongCat-Flash-Chat", 32_182_676_480),
    ("tencent/Hy3-preview", 20_675_730_240),
    ("ibm-granite/granite-4.0-h-small", 8_803_121_664),
    ("meta-llama/Llama-4-Maverick-17B-128E-Instruct", 17_184_691_200),
    # Reckoned apart with the same formulas; biases of experts that are not used left out.
    ("openai/gpt-oss-20b", 4_187_440_704),
    ("openai/gpt-oss-120b", 5_711_982_912),
]


@pytest.mark.parametrize(("model", "expected"), ACTIVE)
def test_counts_what_one_token_uses(model: str, expected: int) -> None:
    assert of(model).active_parameters == expected


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


def test_a_declared_prediction_block_is_counted() -> None:
    config = ROWS["tencent/Hy3-preview"]["config"] | {"num_nextn_predict_layers": 1}
    found = architecture(config)
    assert found.parameters == ROWS["tencent/Hy3-preview"]["published_parameters"]
    assert len(found.layers) == 80
    assert sum(t.parameters for t in found.tensors if t.part == "mtp") == 3_752_612_288


@pytest.mark.parametrize(
    ("model", "name", "shape", "copies", "stacked"),
    [
        (
            "mistralai/Mixtral-8x7B-Instruct-v0.1",
            "model.layers.{}.block_sparse_moe.experts.{}.w2.weight",
            (4096, 14336),
            8,
            False,
        ),
        (
            "openai/gpt-oss-20b",
            "model.layers.{}.mlp.experts.gate_up_proj",
            (5760, 2880),
            32,
            True,
        ),
        (
            "deepseek-ai/DeepSeek-V3",
            "model.layers.{}.mlp.experts.{}.gate_proj.weight",
            (2048, 7168),
            256,
            False,
        ),
        (
            "Qwen/Qwen3.5-35B-A3B",
            "model.language_model.layers.{}.mlp.experts.down_proj",
            (2048, 512),
            256,
            True,
        ),
        (
            "deepseek-ai/DeepSeek-V4-Flash",
            "layers.{}.ffn.experts.{}.w1.weight",
            (2048, 4096),
            256,
            False,
        ),
    ],
)
def test_experts_keep_the_names_of_the_checkpoint(
    model: str, name: str, shape: tuple[int, int], copies: int, stacked: bool
) -> None:
    row = next(tensor for tensor in of(model).tensors if tensor.name == name)
    assert (row.shape, row.copies, row.stacked) == (shape, copies, stacked)
