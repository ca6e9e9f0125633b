"""Memory that engines logged, with the settings they ran with.

Added here: which model of the catalogue has the logged one's shape, which GPU it is, which
version's rules hold, what the log implies but does not say, and why a row cannot be met.
"""

import json
from pathlib import Path
from typing import Any

from tools.facts import File

FORK = "ik_llama.cpp fork"
FACTS = Path(__file__).parents[2] / "calculators" / "facts"
NO_ADDRESS = "a log without a public address, used for tests only"

# The logged name, or a part of it -> the catalogue's model of the same shape. First match wins.
SHAPES = (
    ("EAGLE-llama2", None),
    ("Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
    ("meta-llama-3.1-8b", "meta-llama/Llama-3.1-8B"),
    ("Meta Llama 3.1 8B", "meta-llama/Llama-3.1-8B"),
    ("Meta_Llama_3.1_8b", "meta-llama/Llama-3.1-8B"),
    ("Llama-3.2-3B", "meta-llama/Llama-3.2-3B"),
    ("Llama-3.3-70B", "meta-llama/Llama-3.3-70B-Instruct"),
    ("Llama-3.1-70B", "meta-llama/Llama-3.1-70B"),
    ("80-layer GQA model", "meta-llama/Llama-3.1-70B"),
    ("70B-class (81 layers)", "meta-llama/Llama-3.1-70B"),
    ("Llama-2-7b", "meta-llama/Llama-2-7b-hf"),
    ("LLaMA-2 13B", "meta-llama/Llama-2-13b-hf"),
    ("Qwen3-VL-32B", "Qwen/Qwen3-VL-32B-Instruct"),
    ("Qwen3-0.6B", "Qwen/Qwen3-0.6B"),
    ("Qwen3-8B", "Qwen/Qwen3-8B"),
    ("Qwen3-14B", "Qwen/Qwen3-14B"),
    ("Qwen3-32B", "Qwen/Qwen3-32B"),
    ("Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B"),
    ("Qwen3-235B-A22B", "Qwen/Qwen3-235B-A22B"),
    ("Qwen3.6-27B", "Qwen/Qwen3.6-27B"),
    ("Qwen3.6-35B-A3B", "Qwen/Qwen3.6-35B-A3B"),
    ("AgentWorld-35B-A3B", "Qwen/Qwen3.6-35B-A3B"),
    ("Qwen3.8-27B", "Qwen/Qwen3.6-27B"),  # the same layers; its own config is known in part only
    ("Qwen3.8-Flash-Next", "Qwen/Qwen3.8-Flash-Next"),
    ("Qwen2.5-VL-7B", "Qwen/Qwen2.5-VL-7B-Instruct"),
    ("qwen2.5-vl-7b", "Qwen/Qwen2.5-VL-7B-Instruct"),
    ("28-layer, 4-KV-head", "Qwen/Qwen2.5-7B-Instruct"),
    ("mistral-7b-instruct-v0.3", "mistralai/Mistral-7B-Instruct-v0.3"),
    ("Mistral-Small-3.2-24B", "mistralai/Devstral-Small-2-24B-Instruct-2512"),
    ("Devstral-Small-2-24B", "mistralai/Devstral-Small-2-24B-Instruct-2512"),
    ("phi-4", "microsoft/phi-4"),
    ("gpt-oss-20b", "openai/gpt-oss-20b"),
    ("gemma-3-27b", "google/gemma-3-27b-it"),
    ("Gemma-3-27B", "google/gemma-3-27b-it"),
    ("gemma-4-12B", "google/gemma-4-12B-it"),
    ("gemma-4-31B", "google/gemma-4-31B-it"),
    ("Gemma 4 31B", "google/gemma-4-31B-it"),
    ("Kimi-K2.6", "moonshotai/Kimi-K2.6"),
    ("Kimi-K2-Instruct", "moonshotai/Kimi-K2-Instruct"),
    ("GLM-5 NVFP4", "zai-org/GLM-5"),
    ("DeepSeek-R1-class", "deepseek-ai/DeepSeek-R1"),
    ("DeepSeek-R1 AWQ", "deepseek-ai/DeepSeek-R1"),
    ("DeepSeek R1", "deepseek-ai/DeepSeek-R1"),
    ("DeepSeek V3", "deepseek-ai/DeepSeek-V3"),
    ("Deepseek-V3", "deepseek-ai/DeepSeek-V3"),
    ("Nemotron 3 Omni", "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"),
    ("c4ai-command-r7b", "CohereForAI/c4ai-command-r7b-12-2024"),
)
GPUS = (
    ("RTX 3090 Ti", "rtx-3090-ti"),
    ("RTX 3090 +", None),
    ("RTX 3090", "rtx-3090"),
    ("RTX 4090 +", None),
    ("RTX 4090", "rtx-4090"),
    ("RTX 4080", "rtx-4080"),
    ("RTX 5090", "rtx-5090"),
    ("RTX A6000", "rtx-a6000"),
    ("RTX PRO 6000 Blackwell", "rtx-pro-6000-blackwell"),
    ("RTX PRO 6000 Max-Q", "rtx-pro-6000-blackwell-maxq"),
    ("Tesla T4", "t4"),
    ("NVIDIA L4", "l4"),
    ("A100-SXM4-40GB", "a100-40gb-sxm"),
    ("A100 80GB PCIe", "a100-80gb-pcie"),
    ("H100", "h100-sxm"),
    ("B200", "b200"),
)
# Rules for logs that do not name their version, by how they are worded and dated.
V0_LINES = ("# GPU blocks", "# cuda blocks", "model weights take")
VERSIONS = {
    "Apr 2025 (PR #14447)": "0.7.3",
    "0.7.x (V1)": "0.7.3",
    "2025-12 build": "0.12.0",
    "upstream + K2.6 patches, Apr 2026": "0.19.0",
    FORK: "2025-01",
    "mainline (2024-2025 log quoted in the ik_llama.cpp tracker)": "2025-01",
    "Nov-Dec 2023": "2023-12",
    "May 2025 (PR #13194)": "2025-05",
    "Sep 2026": "2026-09",
    "Aug 2026": "2026-08",
    "Aug 2026 (PR #26297)": "2026-08",
    "2026 (PR #23792)": "2026-05",
    "2026-08 (llama-server)": "2026-08",
    "new memory management, July 2025": "2025-07",
}
NAMELESS = {"vllm": "0.25.1", "sglang": "0.5.10", "llama.cpp": "2026-05", "ollama": "2025-02"}

# What a log implies without saying it: numbers that reproduce its figures to the last digit.
DRAFT_2 = {"speculative_tokens": 2, "draft_layers": 1}
PREFIXES = {"prefix_caching": True}  # not the default of hybrids before 0.27; two pages of states
DRAFT_3 = {"speculative_tokens": 3, "draft_layers": 1}
LORA_64 = {"max_loras": 1, "max_lora_rank": 64}
IMPLIED: dict[str, dict[str, Any]] = {
    "rt-078": {**DRAFT_3, "kv_dtype": "fp8", "prefix_caching": True},
    "rt-132": {**DRAFT_2, **PREFIXES},
    "rt-133": PREFIXES,
    "rt-134": PREFIXES,
    "rt-144": PREFIXES,
    "rt-136": DRAFT_3,
    "rt-141": {"kv_dtype": "fp8", "speculative_tokens": 5, "draft_layers": 1, **PREFIXES},
    "rt-167": {"swa_full_tokens_ratio": 0.1},  # its sliding pool has a tenth of the tokens
    "rt-142": {**DRAFT_3, "prefix_caching": True, "rules_version": "0.20.0"},
    "rt-104": LORA_64,
    "rt-105": LORA_64,
    "rt-007": {"rules_version": "0.11.0"},
    "rt-010": {"rules_version": "0.9.2"},
    "rt-171": {"kv_dtype": "fp8"},
}
# Of ik_llama.cpp's logs: run with `-amb 512`; the others set no limit.
AMB_512 = {
    *("186", "187", "188", "189", "190", "191", "192", "194"),
    *("195", "209", "210", "212", "218", "219", "220", "228"),
}
# Run without `-fmoe`.
PLAIN_MOE = {"185", "193", "201", "212"}
# Rank of the adapter's slots, from the log's arguments or its count of trainable parameters.
LORA_32 = {"rt-110", "rt-115", "rt-119"}
# The packing of the logged file, where it is one of ours; 16-bit formats need no entry.
RECIPES = {
    "rt-009": "format=int8-w8a8",
    "rt-060": "format=fp8-channel",
    "rt-061": "format=original",
    "rt-094": "format=original",
    "rt-096": "format=fp8-channel",
    "rt-102": "format=fp8-channel",
    "rt-107": "format=bnb-nf4",
    "rt-110": "format=bnb-nf4",
    "rt-111": "format=bnb-nf4",
    "rt-115": "format=fp8-block",
    "rt-119": "format=bnb-nf4",
    "rt-120": "format=bnb-nf4",
    "rt-193": "format=gguf-q4_k_m",
    "rt-196": "format=gguf-q8_0",
    "rt-202": "format=gguf-q4_0",
    "rt-226": "format=gguf-q8_0",
    "rt-245": "format=gguf-f16",
    "rt-249": "format=gguf-q4_0",
}
# Where the log prints fewer digits than its engine does.
ROUNDING_GIB = {"rt-141": 0.05}
# Why a row is not met, or why it has nothing to compare. Shown beside the row; a test refuses an
# explanation that a row no longer needs.
STREAMED = (
    "experts in main memory pass through the GPU; their type, and so the size of the copies, is"
    " not on the row"
)
VISION = "an old tower turns queries and keys in float32; pictures are held in float32, too"
NO_POOL = "tokens without the size of the pool, the type of the cache or the memory fraction"
EXPLAINED: dict[str, str] = {
    "rt-001": "0.35 GiB of libraries is the largest figure seen on one GPU",
    "rt-002": "0.35 GiB of libraries is the largest figure seen on one GPU",
    "rt-008": "how the 16 GPUs were divided is not in the excerpt",
    "rt-010": "1.1 % more bytes per token than 94 layers of one KV head: launched with the LMCache"
    " connector",
    "rt-012": "one total as nvidia-smi shows it, of a mixed-type file",
    "rt-013": "one total as nvidia-smi shows it, of a mixed-type file",
    "rt-089": "one layer on the GPU; the cache stays in main memory",
    "rt-101": "fewer requests were profiled than the default: at most 390, by the sampler's rule",
    "rt-107": "a dynamic quantization leaves some layers in 16 bit; LoRA slots stand beside",
    "rt-113": VISION,
    "rt-117": VISION,
    "rt-129": NO_POOL,
    "rt-137": NO_POOL,
    "rt-171": NO_POOL,
    "rt-172": NO_POOL,
    "rt-173": NO_POOL,
    "rt-174": NO_POOL,
    "rt-190": STREAMED,
    "rt-191": STREAMED,
    "rt-209": "tensors placed by name, some experts pass through the GPU; which ones is not on the"
    " row",
    "rt-212": "Vulkan leaves the attention over a quantized cache to the CPU (779 splits)",
    "rt-218": STREAMED,
    "rt-202": "96 MiB more, as much as the attention mask in float32 and in 16-bit",
    "rt-203": "8 MiB more, as much as one more set of activations: two GPUs are visible",
}
STRANGER = "its model is not in the catalogue"
KEPT = (
    *("format", "variant", "gpus", "tensor_parallel", "pipeline_parallel"),
    *("gpu_memory_utilization", "max_model_len", "max_num_seqs", "max_num_batched_tokens"),
    *("block_size", "decode_context_parallel", "mtp", "mem_fraction_static"),
    *("swa_full_tokens_ratio", "chunked_prefill_size", "max_running_requests", "max_total_tokens"),
    *("n_ctx", "n_parallel", "n_batch", "n_ubatch", "flash_attn", "swa_full", "gpu_layers"),
    *("partial_offload", "pipeline_copies", "mla_attn", "kv_dtype", "file_size", "total_gpu_gib"),
    *("flag", "note", "estimate", "model_inferred"),
)


def convert(directory: Path) -> File:
    raw = json.loads((directory / "runtime.json").read_text(encoding="utf-8"))
    return File(
        about=(
            "Memory that engines logged. observed: figures of the log, unit in the key, per GPU;"
            " as_logged: the words. shape_of: the catalogue's model of that shape, null when there"
            " is none; recipe: the packing of the logged file, where it is known; rules_version:"
            " the version whose rules are applied; implied: settings that the log does not name"
            " but its figures give away, so that they prove less; explanation: why a figure is"
            " not met. Rows with citable false have no public address and are never shown."
        ),
        date="2026-11-21",
        rows=[*(row(entry) for entry in raw), *entered()],
    )


def entered() -> list[dict[str, Any]]:
    """Rows that were written into the facts themselves."""
    kept = json.loads((FACTS / "memory_logs.json").read_text(encoding="utf-8"))["rows"]
    return [found for found in kept if not found["id"].startswith("rt-")]


def row(entry: dict[str, Any]) -> dict[str, Any]:
    implied = IMPLIED.get(entry["id"], {})
    kept = {
        "id": entry["id"],
        "engine": entry["engine"],
        "engine_version": entry["engine_version"],
        "rules_version": implied.get("rules_version") or rules_version(entry),
        "model": entry["model"],
        "shape_of": first(SHAPES, entry["model"]),
        "device": first(GPUS, entry["gpu"] or ""),
        "gpu": entry["gpu"],
    }
    kept |= {key: entry[key] for key in KEPT if entry.get(key) is not None}
    if entry["id"] in RECIPES:
        kept["recipe"] = RECIPES[entry["id"]]
    if entry["id"] in ROUNDING_GIB:
        kept["kv_rounding_gib"] = ROUNDING_GIB[entry["id"]]
    if entry["id"] in LORA_32:
        kept |= {"max_loras": 1, "max_lora_rank": 32}
    if entry["engine_version"] == FORK:
        number = entry["id"].removeprefix("rt-")
        kept["attn_max_batch_mib"] = 512 if number in AMB_512 else 0
        kept["fused_moe"] = number not in PLAIN_MOE
    if implied:
        kept["implied"] = {k: v for k, v in implied.items() if k != "rules_version"}
    kept |= {"observed": entry["observed"], "as_logged": entry["as_logged"]}
    if entry["id"] in EXPLAINED:
        kept["explanation"] = EXPLAINED[entry["id"]]
    elif kept["shape_of"] is None:
        kept["explanation"] = STRANGER
    if entry.get("citable") is False:
        kept["citable"] = False
    return kept | {"source": entry.get("source") or NO_ADDRESS}


def first(table: tuple[tuple[str, str | None], ...], text: str) -> str | None:
    return next((found for part, found in table if part in text), None)


def rules_version(entry: dict[str, Any]) -> str:
    given = entry["engine_version"]
    if given in VERSIONS:
        return VERSIONS[given]
    if given and given[0].isdigit() and " " not in given:
        return str(given)
    if entry["engine"] == "vllm" and any(line.startswith(V0_LINES) for line in entry["as_logged"]):
        return "0.7.3"
    return NAMELESS[entry["engine"]]
