"""Models of which the gathered file holds a part: the keys that it lacks, and where they stand.

What stays partial is listed all the same, so that picking it says which keys are not public.
"""

from dataclasses import dataclass, field
from typing import Any

HUB = "https://huggingface.co/"


@dataclass(frozen=True)
class Completed:
    """`keys` join the gathered config; `same_as` names a model whose config takes its place."""

    source: str
    check: str = "partial"
    keys: dict[str, Any] = field(default_factory=dict)
    same_as: str = ""
    published: int | None = None
    includes: tuple[str, ...] = ("text",)
    rounded: int | None = None
    notes: str = ""


COMPLETED: dict[str, Completed] = {
    "Qwen/Qwen3.8-27B": Completed(
        f"{HUB}Qwen/Qwen3.8-27B/raw/main/config.json; total: model.safetensors.index.json of the "
        "same repository, 55,562,855,904 bytes in BF16",
        check="exact",
        same_as="Qwen/Qwen3.6-27B",
        published=27_781_427_952,
        includes=("text", "mtp", "vision"),
        notes="the same tensors as Qwen3.5 27B and Qwen3.6 27B, to the byte of the published index",
    ),
    "Qwen/Qwen3.8-2.4T-A95B": Completed(
        f"{HUB}Qwen/Qwen3.8-2.4T-A95B/raw/main/config.json; total: the BF16 index, 4.892 TB",
        check="rounded",
        keys={
            "model_type": "qwen3_5_moe_text",
            "architectures": ["Qwen3_5MoeForCausalLM"],
            "text_config": None,
            "attention_bias": False,
            "attn_output_gate": True,
            "full_attention_interval": 4,
            "head_dim": 256,
            "hidden_size": 8192,
            "linear_conv_kernel_dim": 4,
            "linear_key_head_dim": 128,
            "linear_num_key_heads": 16,
            "linear_num_value_heads": 128,
            "linear_value_head_dim": 128,
            "max_position_embeddings": 262144,
            "moe_intermediate_size": 2048,
            "mtp_num_hidden_layers": 1,
            "num_attention_heads": 64,
            "num_experts": 512,
            "num_experts_per_tok": 10,
            "num_hidden_layers": 92,
            "num_key_value_heads": 4,
            "shared_expert_intermediate_size": 2048,
            "tie_word_embeddings": False,
            "vocab_size": 248320,
        },
        rounded=2_446_000_000_000,
        includes=("text", "mtp"),
        notes="2.4 T in the name is rounded; the index says 4.892 TB in BF16, 2.446 T parameters",
    ),
    "ibm-granite/granite-3.1-3b-a800m-instruct": Completed(
        f"{HUB}ibm-granite/granite-3.1-3b-a800m-instruct/raw/main/config.json",
        check="rounded",
        keys={"vocab_size": 49155},
        notes="vocab_size 49155, as in the other models of Granite 3.1",
    ),
    "tiiuae/Falcon-H1-7B-Instruct": Completed(
        f"{HUB}tiiuae/Falcon-H1-7B-Instruct/raw/main/config.json; weighed: "
        f"{HUB}mlx-community/Falcon-H1-7B-Instruct-4bit, 4,268,832,515 bytes",
        check="rounded",
        keys={
            "intermediate_size": 12288,
            "vocab_size": 130049,
            "mamba_n_groups": 1,
            "mamba_d_conv": 4,
            "mamba_conv_bias": True,
            "mamba_rms_norm": True,
            "max_position_embeddings": 262144,
            "tie_word_embeddings": False,
        },
        notes="the published 4-bit MLX file is met to within 300 bytes of its header",
    ),
    "CohereForAI/c4ai-command-r-plus-08-2024": Completed(
        f"{HUB}CohereForAI/c4ai-command-r-plus-08-2024/raw/main/config.json",
        check="rounded",
        keys={"num_attention_heads": 96, "intermediate_size": 33792, "use_qk_norm": True},
        notes="head_dim is no key of this config: 12288 / 96 heads",
    ),
    "Qwen/Qwen3.8-Flash-Next": Completed(
        f"{HUB}Qwen/Qwen3.8-Flash-Next; architecture: "
        "https://github.com/sgl-project/sglang-jax/issues/1655",
        rounded=180_000_000_000,
        notes="125 B in the main model, 51 B in an n-gram embedding that can stay in host memory, "
        "4 B in the prediction block; its layout (hyper-connections, sparse attention with an "
        "indexer, n-gram tables) is not read here",
    ),
    "deepseek-ai/DeepSeek-V4.1-Flash": Completed(
        f"{HUB}deepseek-ai/DeepSeek-V4.1-Flash; architecture: "
        "https://github.com/FlashML-org/FreeToken/issues/444",
        keys={"model_type": "deepseek_v41", "architectures": ["DeepseekV41ForCausalLM"]},
        rounded=552_000_000_000,
        notes="552 B in the backbone and 196 B in Engram tables; a causal encoder before the "
        "decoder, whose layout is not read here",
    ),
}


def completed(entry: dict[str, Any], gathered: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The gathered entry with what is known of it besides."""
    found = COMPLETED.get(entry["id"])
    if not found:
        return entry
    config = gathered[found.same_as]["config"] if found.same_as else entry["config"]
    config = {key: value for key, value in (config | found.keys).items() if value is not None}
    old = entry["source"] if found.check == "partial" else ""
    rounded = entry.get("params_published_b")
    return entry | {
        "config": config,
        "check": found.check,
        "params_total": found.published,
        "params_published_b": found.rounded / 1e9 if found.rounded else rounded,
        "computed_includes": None if found.check == "partial" else list(found.includes),
        "notes": found.notes,
        "source": old or found.source,
        "params_source": "",
    }
