"""The model catalogue: one `config.json` to a row, with the counts that were published for it."""

import json
from pathlib import Path
from typing import Any

from tools.facts import File
from tools.facts.models_completed import completed

ABOUT = (
    "Models by their config.json, reduced to the keys that decide shapes, cache and context. "
    "published_parameters: the exact count of the published repository; published_adjust: what "
    "that count holds besides the parameters of this config, as [what, elements]; "
    "rounded_parameters, rounded_active_parameters: the figure on the card. includes: parts that "
    "the count holds. check: how well the count closes (exact, exact_after_adjust, explained to "
    "within a few elements, rounded, no_published_total, partial = not enough keys to count). "
    "reason: why a count is more than 0.3 % off its rounded figure."
)

# What the gathered configs lack or have otherwise than the published file: keys, and why.
_NO_WINDOW = "sliding_window null: from Mistral 7B v0.2 on the published files switch it off"
_OUTER = "model_type is that of the class in architectures, as in the published file"
_GEMMA4_AUDIO = (
    "audio_config: class defaults of github.com/huggingface/transformers:src/transformers/models/"
    "gemma4/configuration_gemma4.py@008e5742, which name this model"
)
CORRECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "mistralai/Mistral-7B-Instruct-v0.2": ({"sliding_window": None}, _NO_WINDOW),
    "mistralai/Mistral-Large-Instruct-2407": ({"sliding_window": None}, _NO_WINDOW),
    "mistralai/Mistral-Large-Instruct-2411": ({"sliding_window": None}, _NO_WINDOW),
    "mistralai/Ministral-3-3B-Instruct-2512": ({"model_type": "mistral3"}, _OUTER),
    "mistralai/Ministral-3-8B-Instruct-2512": ({"model_type": "mistral3"}, _OUTER),
    "LGAI-EXAONE/EXAONE-4.0-1.2B": (
        {"sliding_window": None},
        "sliding_window null: arXiv:2507.11407 gives hybrid attention to the 32B model alone",
    ),
    "MiniMaxAI/MiniMax-M1-80k": (
        {},
        "arXiv:2501.08313 (shapes of MiniMax-Text-01, on which M1 is built: arXiv:2506.13585)",
    ),
    "google/gemma-4-E2B-it": (
        {"audio_config": {"model_type": "gemma4_audio"}},
        _GEMMA4_AUDIO,
    ),
    "google/gemma-4-E4B-it": (
        {"audio_config": {"model_type": "gemma4_audio"}},
        _GEMMA4_AUDIO,
    ),
    "google/gemma-4-12B-it": (
        {"audio_config": {"model_type": "gemma4_unified_audio", "audio_embed_dim": 640}},
        "audio_config: class defaults of github.com/huggingface/transformers:src/transformers/"
        "models/gemma4_unified/configuration_gemma4_unified.py@008e5742, which name this model",
    ),
}

# Parts that the count holds thanks to these corrections.
INCLUDES = {
    "google/gemma-4-E2B-it": ["text", "vision", "audio"],
    "google/gemma-4-E4B-it": ["text", "vision", "audio"],
    "google/gemma-4-12B-it": ["text", "vision", "audio"],
}

_NAME = "the name is rounded"
_VISION = "the name leaves out the vision tower"
_MTP = "the figure leaves out the multi-token-prediction block"
REASONS = {
    "mistralai/Mistral-Large-Instruct-2407": _NAME,
    "mistralai/Mistral-Large-Instruct-2411": _NAME,
    "mistralai/Devstral-2-123B-Instruct-2512": "the name is that of Mistral Large, whose "
    "vocabulary is 32768; with 131072 entries embedding and head weigh 2.4 G more",
    "mistralai/Ministral-3-3B-Instruct-2512": "3.8 counts unique parameters, rounded",
    "Qwen/Qwen3-VL-2B-Instruct": _VISION,
    "Qwen/Qwen3-VL-8B-Instruct": _VISION,
    "Qwen/Qwen3.6-27B": "the name leaves out the vision tower and the prediction block",
    "google/gemma-3n-E4B-it": "6.9 is rounded, and the count is of the text model",
    "google/gemma-3n-E2B-it": "5.44 holds the vision and audio towers; the count is of the text",
    "google/gemma-4-E2B-it": "5.1 is rounded",
    "google/gemma-4-26B-A4B-it": _NAME,
    "zai-org/GLM-4.5-Air": _MTP,
    "zai-org/GLM-5.3": _MTP,
    "moonshotai/Kimi-K2.7-Code": "the card rounds to 1 T",
    "moonshotai/Kimi-K3": "the card rounds to 2.8 T, and the vision tower is not counted",
    "Qwen/Qwen3.8-27B": "the name leaves out the vision tower and the prediction block",
    "stepfun-ai/Step-3.7-Flash": "the figure holds the vision tower but no prediction layers; "
    "the count holds three of these and no vision tower",
    "nvidia/Nemotron-H-56B-Base-8K": _NAME,
    "nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16": _MTP,
    "nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-BF16": "the name is rounded and leaves out the "
    "prediction block",
    "allenai/Olmo-3.1-32B-Instruct": _NAME,
    "EleutherAI/gpt-j-6b": _NAME,
    "tencent/Hunyuan-A13B-Instruct": _NAME,
}


# Published counts that close only with an item that the gathered file does not list.
ADJUST: dict[str, list[tuple[str, int]]] = {
    "zai-org/GLM-4.6": [
        (
            "the prediction block of this one stores no copies of embedding and head, "
            "2 x 151552 x 5120; GLM-4.5 and GLM-4.7 with the same config do",
            -2 * 151552 * 5120,
        )
    ],
}


def convert(directory: Path) -> File:
    """One row per model; a model for which no source is named is left out."""
    gathered = json.loads((directory / "models.json").read_text(encoding="utf-8"))
    by_id = {entry["id"]: entry for entry in gathered}
    rows = [_row(completed(entry, by_id)) for entry in gathered]
    return File(about=ABOUT, date="2026-11", rows=[row for row in rows if row["source"]])


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    keys, _ = CORRECTIONS.get(entry["id"], ({}, ""))
    adjust = ADJUST.get(entry["id"])
    row = {
        "id": entry["id"],
        "name": entry["name"],
        "family": entry["family"],
        "released": entry["released"],
        "license": entry["license"],
        "config": entry["config"] | keys,
        "published_parameters": entry.get("params_total"),
        "published_adjust": adjust or entry.get("total_adjust"),
        "rounded_parameters": _units(entry.get("params_published_b")),
        "rounded_active_parameters": _units(entry.get("params_active_b")),
        "includes": INCLUDES.get(entry["id"], entry.get("computed_includes")),
        "check": "exact_after_adjust" if adjust else entry["check"],
        "reason": REASONS.get(entry["id"]),
        "notes": entry.get("notes"),
        "source": _source(entry),
    }
    keep_null = ("released", "license")
    return {key: value for key, value in row.items() if value is not None or key in keep_null}


def _units(billions: float | None) -> int | None:
    return None if billions is None else round(billions * 1e9)


def _source(entry: dict[str, Any]) -> list[str]:
    license_source = entry.get("license_source")
    _, corrected = CORRECTIONS.get(entry["id"], ({}, ""))
    named = (
        entry["source"],
        corrected,
        entry.get("params_source"),
        license_source and f"license: {license_source}",
    )
    return [source for source in named if source]
