"""Really published checkpoint sizes, each with the model and the recipe that it is held against."""

import json
import re
from pathlib import Path

from calculators.facts import Row
from tools.facts import File
from tools.facts.published_cards import card_rows
from tools.facts.published_mlx import mlx_rows
from tools.facts.published_row import Published

ABOUT = (
    "Published checkpoint sizes. bytes: exact; range_bytes: what the printed figure's unit and "
    "rounding leave. counts: whether the figure is of the tensors or of the whole file. model: "
    "the catalogue model with these tensors, or config: its shape. recipe: the format, see "
    "formats.json. unmatched: why no recipe or model is given. explanation: why the prediction "
    "lies outside. citable false: for tests only, its source has no public address."
)

LLAMA = {"model_type": "llama", "tie_word_embeddings": False}
# Shapes of models that the catalogue does not hold, from the config.json of their repositories
CONFIGS: dict[str, Row] = {
    "ehartford/Wizard-Vicuna-30B-Uncensored": {
        **LLAMA,
        "hidden_size": 6656,
        "intermediate_size": 17920,
        "num_attention_heads": 52,
        "num_hidden_layers": 60,
        "vocab_size": 32000,
    },
    "deepseek-ai/deepseek-coder-6.7b-instruct": {
        **LLAMA,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "vocab_size": 32256,
    },
    "TencentARC/LLaMA-Pro-8B": {
        **LLAMA,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_attention_heads": 32,
        "num_hidden_layers": 40,
        "vocab_size": 32000,
    },
    "pankajmathur/orca_mini_3b": {
        **LLAMA,
        "hidden_size": 3200,
        "intermediate_size": 8640,
        "num_attention_heads": 32,
        "num_hidden_layers": 26,
        "vocab_size": 32000,
    },
    "Qwen/Qwen1.5-7B-Chat": {
        "model_type": "qwen2",
        "tie_word_embeddings": False,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "vocab_size": 151936,
    },
    "google/gemma-2b-it": {
        "model_type": "gemma",
        "tie_word_embeddings": True,
        "head_dim": 256,
        "hidden_size": 2048,
        "intermediate_size": 16384,
        "num_attention_heads": 8,
        "num_key_value_heads": 1,
        "num_hidden_layers": 18,
        "vocab_size": 256000,
    },
    "codellama/CodeLlama-7b-Instruct-hf": {
        **LLAMA,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "vocab_size": 32016,
    },
    "deepseek-ai/DeepSeek-Coder-V2-Instruct": {
        "model_type": "deepseek_v2",
        "tie_word_embeddings": False,
        "first_k_dense_replace": 1,
        "hidden_size": 5120,
        "intermediate_size": 12288,
        "kv_lora_rank": 512,
        "moe_intermediate_size": 1536,
        "n_routed_experts": 160,
        "n_shared_experts": 2,
        "num_attention_heads": 128,
        "num_experts_per_tok": 6,
        "num_hidden_layers": 60,
        "num_key_value_heads": 128,
        "q_lora_rank": 1536,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "vocab_size": 102400,
    },
    "HuggingFaceTB/SmolLM3-3B": {
        "model_type": "smollm3",
        "tie_word_embeddings": True,
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "num_attention_heads": 16,
        "num_hidden_layers": 36,
        "num_key_value_heads": 4,
        "vocab_size": 128256,
    },
    "mistralai/Ministral-3-14B-Instruct-2512": {
        "model_type": "ministral3",
        "tie_word_embeddings": False,
        "head_dim": 128,
        "hidden_size": 5120,
        "intermediate_size": 16384,
        "num_attention_heads": 32,
        "num_hidden_layers": 40,
        "num_key_value_heads": 8,
        "vocab_size": 131072,
    },
}
NO_SHAPE = "the architecture is not in the catalogue"
# Models with the same tensors, as far as the file holds them
MODELS = {
    "Qwen/Qwen3-VL-4B-Instruct": "Qwen/Qwen3-4B-Instruct-2507",
    "Qwen/Qwen3-Embedding-0.6B": "Qwen/Qwen3-0.6B",
    "Qwen/Qwen3-Embedding-4B": "Qwen/Qwen3-4B-Instruct-2507",
}

# (repository or model, what the variant begins with) -> recipe, where the variant says it all
RECIPES = {
    ("openai/gpt-oss-20b", "safetensors shards"): "format=original",
    ("openai/gpt-oss-20b", "index total_size"): "format=original",
    ("openai/gpt-oss-20b", "original/model"): "format=original",
    ("openai/gpt-oss-120b", "ollama build, BF16"): "format=gguf-bf16",
    ("ggml-org/gpt-oss-20b-GGUF", "MXFP4"): "format=gguf-mxfp4",
    ("ggml-org/gpt-oss-120b-GGUF", "MXFP4"): "format=gguf-mxfp4",
    ("openai/gpt-oss-20b", "F16"): "format=gguf-f16",
    ("openai/gpt-oss-safeguard-20b", "F16"): "format=gguf-f16",
    ("openai/gpt-oss-safeguard-20b", "MXFP4"): "format=gguf-mxfp4",
    ("Qwen/Qwen3-30B-A3B-Instruct-2507-FP8", "FP8"): "format=fp8-block",
    ("Qwen/Qwen3-30B-A3B-Instruct-2507", "fp8"): "format=fp8-block",
    ("openai/gpt-oss-20b", "XPU"): "format=original",
    ("RedHatAI/gemma-4-26B-A4B-it-NVFP4", "NVFP4"): "format=nvfp4",
    # llm-compressor's examples for Qwen3-Next and its heirs leave the linear attention
    ("RedHatAI/Qwen3.6-35B-A3B-NVFP4", "compressed"): "format=nvfp4&keep=default,recurrent",
}
# (repository or model, what the variant begins with) -> why no recipe can be given
UNMATCHED = {
    ("openai/gpt-oss-20b", "metal/"): "a layout of its own, for Metal",
    ("Qwen/Qwen3.8-Flash-Next", ""): "the config is known in part only",
    ("canada-quant/DeepSeek-V4-Flash-W4A16-FP8", ""): "a mix of two formats; not all is documented",
    ("deepseek-ai/DeepSeek-V4-Flash", "native"): "per GPU after loading, one of four",
    ("rdtand/Qwen3.6-35B-A3B-PrismaQuant-4.75bit-vllm", ""): "a mix found by search",
    ("chankhavu/Nemotron-Cascade-2-30B-A3B-NVFP4", ""): "what it keeps is not documented",
    ("turboderp/ERNIE-4.5-300B-A47B-PT-exl3", ""): "without embedding, the unit not stated",
}
UNSLOTH = "an Unsloth dynamic mix, chosen tensor by tensor"
SCRAMBLED = ("fate-oracle.com/trap", "brick-house.org")

# What is known of how a publisher's files were made: (repository or model, addition to the recipe)
MADE = (
    # TheBloke's GGUF files are of August 2023 to January 2024
    (r"TheBloke/.*-GGUF", "built=2023-12"),
    # bartowski uses an importance matrix since April 2024, and says so on every card
    (r"bartowski/(?!Starling)", "imatrix=true"),
    (r"nvidia/Llama-3.1-Nemotron-70B-Instruct-HF", "imatrix=true"),
    # of June 2023, before Transformers stopped saving the rotary frequencies
    (r"TheBloke/Wizard-Vicuna-30B-Uncensored-GPTQ", "inv_freq=true"),
)

# Why a prediction lies outside, by (repository or model, what the variant begins with)
CUT = "the card cuts digits off where others round: 6.596 is printed as 6.59"
F16_HEAD = "in June 2024 the _L files of bartowski kept embedding and head in F16; later at Q8_0"
DOCKER_MIX = "likely an Unsloth build, like the UD- files on the same card, and no plain Q4_K_M"
JAMBA = "the mix of this hybrid is not fully explained: attention, state space and experts differ"
EXPLANATIONS = {
    ("TheBloke/Wizard-Vicuna-30B-Uncensored-GPTQ", "4bit-nogroup-actorder (branch main)"): (
        "an older file than the other branches, 2.7 MB larger; what it holds is not known"
    ),
    ("openai/gpt-oss-20b", "original/model"): (
        "OpenAI's own layout: the same tensors with query, key and value fused, in one file, "
        "so the header is 17 kB shorter"
    ),
    ("bartowski/LLaMA3-iterative-DPO-final-GGUF", "Q6_K"): CUT,
    ("bartowski/LLaMA3-iterative-DPO-final-GGUF", "Q5_K_S"): CUT,
    ("bartowski/LLaMA3-iterative-DPO-final-GGUF", "IQ4_NL"): CUT,
    ("bartowski/LLaMA3-iterative-DPO-final-GGUF", "IQ4_XS"): CUT,
    ("ai21labs/AI21-Jamba-Mini-1.7", "Q4_K_M"): JAMBA,
    ("ai21labs/AI21-Jamba-Mini-1.7", "Q4_0"): JAMBA,
    ("deepseek-ai/DeepSeek-Coder-V2-Instruct", "Q3_K_XL"): F16_HEAD,
    ("deepseek-ai/DeepSeek-Coder-V2-Instruct", "Q2_K_L"): F16_HEAD,
    ("mistralai/Ministral-3-14B-Instruct-2512", "Q4_K_M"): DOCKER_MIX,
}


def convert(directory: Path) -> File:
    """Every gathered row but those from pages that print scrambled figures."""
    gathered = json.loads((directory / "checkpoints.json").read_text(encoding="utf-8"))
    rows = [
        _row(entry)
        for entry in gathered
        if not any(address in str(entry["source"]) for address in SCRAMBLED)
    ]
    return File(about=ABOUT, date="2026-11", rows=rows + card_rows() + mlx_rows())


def _row(entry: Row) -> Row:
    name = re.sub(r" \(.*", "", entry["model"])
    config = CONFIGS.get(name)
    model = None if config else MODELS.get(name) or entry["shape_of"]
    recipe = _recipe(entry)
    return Published(
        name=name,
        repo=entry["repo"],
        model=model,
        config=config,
        format=entry["format"],
        variant=entry["variant"],
        recipe=recipe,
        bytes=entry["bytes"],
        range_bytes=entry.get("range_bytes") if entry["bytes"] is None else None,
        counts=_counts(entry),
        what=entry["what"],
        size_text=entry["size_text"],
        unit_note=entry["unit_note"],
        tensor_parallel=entry["tensor_parallel"],
        note=entry.get("note"),
        trust=entry["trust"],
        citable=entry.get("citable"),
        unmatched=_unmatched(entry, model or config, recipe),
        explanation=_found(EXPLANATIONS, entry),
        source=entry["source"] or "no public address",
    ).row()


def _unmatched(entry: Row, shape: object, recipe: str | None) -> str | None:
    reason = _found(UNMATCHED, entry)
    if reason:
        return reason
    if not recipe:
        return UNSLOTH if re.match(r"UD-|Q8_K_XL", entry["variant"]) else "no recipe is known"
    return None if shape else NO_SHAPE


def _recipe(entry: Row) -> str | None:
    recipe = entry["recipe"] or _found(RECIPES, entry) or _file_type(entry)
    for pattern, addition in MADE:
        if recipe and re.match(pattern, entry["repo"] or entry["model"]):
            recipe = f"{recipe}&{addition}"
    return recipe


def _file_type(entry: Row) -> str | None:
    """Of a GGUF file, when the variant is a file type that llama-quantize knows, or one with
    embedding and head at Q8_0 (the _L and _XL of bartowski).
    """
    found = re.match(r"Q\d_K_(L|XL)\b", entry["variant"])
    if not found or entry["format"] != "gguf" or found[0] == "Q8_K_XL":
        return None
    return f"format=gguf-{found[0].lower()}"


def _counts(entry: Row) -> str:
    """A git-lfs pointer gives the size of the file, header and all; so does vLLM's log line."""
    whole = ("git-lfs pointer", "Checkpoint size")
    return "file" if any(word in entry["what"] for word in whole) else str(entry["counts"])


def _found(table: dict[tuple[str, str], str], entry: Row) -> str | None:
    names = (entry["repo"], re.sub(r" \(.*", "", entry["model"]))
    for (name, start), value in table.items():
        if name in names and entry["variant"].startswith(start):
            return value
    return None
