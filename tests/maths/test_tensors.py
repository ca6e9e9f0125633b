"""Every dense model of the catalogue, counted from its config; and what its cache holds."""

import pytest

from calculators.facts import Row, rows
from calculators.maths.tensors import Architecture, Attention, architecture
from calculators.maths.tensors.registry import READERS

MODULES = ("dense", "multimodal", "gemma3n", "gemma4", "mllama", "dialects", "encoders")
ROUNDED_TOLERANCE = 0.003  # a figure on a card has two or three digits

MODELS = {row["id"]: row for row in rows("models")}
OURS = [
    row
    for row in MODELS.values()
    if getattr(READERS.get(row["config"].get("model_type")), "__module__", "").split(".")[-1]
    in MODULES
]
EXACT = [row for row in OURS if row["check"] in ("exact", "exact_after_adjust")]
ROUNDED = [row for row in OURS if row["check"] == "rounded"]


def named(row: Row) -> str:
    return str(row["id"])


def read(model: str) -> Architecture:
    return architecture(MODELS[model]["config"])


def test_the_table_holds_the_dense_models() -> None:
    assert len(EXACT) >= 70
    assert len(ROUNDED) >= 30


@pytest.mark.parametrize("row", EXACT, ids=named)
def test_the_count_is_the_published_one(row: Row) -> None:
    besides = sum(elements for _, elements in row.get("published_adjust", ()))
    assert row["published_parameters"] == architecture(row["config"]).parameters + besides


@pytest.mark.parametrize("row", ROUNDED, ids=named)
def test_the_count_is_near_the_rounded_figure_or_says_why_not(row: Row) -> None:
    count = architecture(row["config"]).parameters
    near = abs(count / row["rounded_parameters"] - 1) <= ROUNDED_TOLERANCE
    assert near == ("reason" not in row)


@pytest.mark.parametrize("row", OURS, ids=named)
def test_the_parts_are_those_that_the_row_names(row: Row) -> None:
    read = architecture(row["config"])
    assert set(row["includes"]) == {tensor.part for tensor in read.tensors}
    assert read.encoder == (row["family"] == "bert")


@pytest.mark.parametrize("row", OURS, ids=named)
def test_every_layer_is_in_a_tensor_and_no_other(row: Row) -> None:
    found = architecture(row["config"])
    held = {index for tensor in found.tensors if tensor.part == "text" for index in tensor.layers}
    assert held == set(range(len(found.layers)))


# name, expected, source. Only the mixture among these uses less than all its parameters per token.
ACTIVE = [
    ("google/gemma-4-26B-A4B-it", 3_822_530_590, "8 of 128 experts; the card says 3.8 B"),
    ("meta-llama/Llama-3.1-8B", 8_030_261_248, "dense: all of them"),
    ("Qwen/Qwen2.5-VL-7B-Instruct", 7_615_616_512, "the text model is Qwen2.5 7B"),
]


@pytest.mark.parametrize(("model", "expected"), [row[:2] for row in ACTIVE])
def test_active_parameters(model: str, expected: int) -> None:
    assert expected == read(model).active_parameters


def cached_elements(found: Architecture) -> dict[int | None, int]:
    """Elements of the cache per token, by window; keys that are values counted once."""
    per_window: dict[int | None, int] = {}
    for layer in found.layers:
        for mixer in layer.mixers:
            assert isinstance(mixer, Attention)
            if mixer.shares_cache_of is not None or mixer.cross:
                continue
            both = mixer.head_dim + mixer.value_head_dim
            once = mixer.head_dim if mixer.keys_are_values else both
            elements = mixer.key_value_heads * once
            per_window[mixer.window] = per_window.get(mixer.window, 0) + elements
    return per_window


# name, {window: elements per token}, source
CACHE = [
    ("Qwen/Qwen3-8B", {None: 36 * 2 * 8 * 128}, "144 KiB at 2 bytes, LLM architecture gallery"),
    ("zai-org/GLM-4-32B-0414", {None: 61 * 2 * 2 * 128}, "61 KiB at 2 bytes, the gallery"),
    (
        "google/gemma-4-31B-it",
        {1024: 50 * 2 * 16 * 256, None: 10 * 4 * 512},
        "840 KiB at 2 bytes before the window is full, the gallery",
    ),
    (
        "google/gemma-4-26B-A4B-it",
        {1024: 25 * 2 * 8 * 256, None: 5 * 2 * 512},
        "210 KiB, the gallery",
    ),
    ("google/gemma-4-12B-it", {1024: 40 * 2 * 8 * 256, None: 8 * 512}, "328 KiB, the gallery"),
    (
        "google/gemma-4-E2B-it",
        {512: 12 * 2 * 256, None: 3 * 2 * 512},
        "config: the last 20 of 35 layers share, every fifth is full",
    ),
    (
        "google/gemma-3n-E4B-it",
        {512: 16 * 2 * 2 * 256, None: 4 * 2 * 2 * 256},
        "config: the last 15 of 35 layers share, every fifth is full",
    ),
    (
        "google/gemma-3-27b-it",
        {1024: 52 * 2 * 16 * 128, None: 10 * 2 * 16 * 128},
        "config: every sixth of 62 layers is full",
    ),
    ("google/gemma-2-9b-it", {4096: 21 * 2 * 8 * 256, None: 21 * 2 * 8 * 256}, "every second"),
    ("mistralai/Mistral-7B-v0.1", {4096: 32 * 2 * 8 * 128}, "arXiv:2310.06825: 4096 everywhere"),
    ("mistralai/Mistral-7B-Instruct-v0.2", {None: 32 * 2 * 8 * 128}, "sliding_window null"),
    ("Qwen/Qwen2.5-7B-Instruct", {None: 28 * 2 * 4 * 128}, "use_sliding_window false"),
    (
        "LGAI-EXAONE/EXAONE-4.0-32B",
        {4096: 48 * 2 * 8 * 128, None: 16 * 2 * 8 * 128},
        "arXiv:2507.11407: three local layers to one global",
    ),
    ("LGAI-EXAONE/EXAONE-4.0-1.2B", {None: 30 * 2 * 8 * 64}, "arXiv:2507.11407: all global"),
    (
        "allenai/Olmo-3-1025-7B",
        {4096: 24 * 2 * 32 * 128, None: 8 * 2 * 32 * 128},
        "layer_types of the config: every fourth is full",
    ),
    (
        "CohereForAI/c4ai-command-r7b-12-2024",
        {4096: 24 * 2 * 8 * 128, None: 8 * 2 * 8 * 128},
        "sliding_window_pattern 4",
    ),
    (
        "meta-llama/Llama-3.2-11B-Vision-Instruct",
        {None: 32 * 2 * 8 * 128},
        "eight of 40 layers attend to the image and cache no text",
    ),
]


@pytest.mark.parametrize(("model", "expected"), [row[:2] for row in CACHE])
def test_cache_layout(model: str, expected: dict[int | None, int]) -> None:
    assert expected == cached_elements(read(model))


def test_shared_caches_are_those_of_the_same_kind() -> None:
    layers = read("google/gemma-4-E2B-it").layers
    last = [mixer for layer in layers[15:] for mixer in layer.mixers]
    sources = {(mixer.window, mixer.shares_cache_of) for mixer in last}  # type: ignore[union-attr]
    assert sources == {(512, 13), (None, 14)}


LLAMA = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "vocab_size": 100,
}
SMALL = 2 * 100 * 64 + 64 + 4 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64)
TIED = SMALL - 100 * 64
QKV = 4 * 3 * 64  # biases of q, k, v in four layers
OUT = 4 * 64
HEADS = 4 * 2 * 16  # norms on queries and keys

# what the file says, expected count. Defaults are those of the class in Transformers.
READINGS = [
    ({}, SMALL),
    ({"head_dim": None, "num_key_value_heads": None}, SMALL),
    ({"head_dim": 32}, SMALL + 4 * 4 * 64 * 64),
    ({"num_key_value_heads": 2}, SMALL - 4 * 2 * 32 * 64),
    ({"attention_bias": True}, SMALL + QKV + OUT),
    ({"mlp_bias": True}, SMALL + 4 * (2 * 128 + 64)),
    ({"tie_word_embeddings": True}, TIED),
    ({"model_type": None, "architectures": ["LlamaForCausalLM"]}, SMALL),
    ({"model_type": "mistral"}, SMALL),
    ({"model_type": "mistral", "attention_bias": True}, SMALL),
    ({"model_type": "qwen2"}, SMALL + QKV),
    ({"model_type": "qwen2", "attention_bias": False}, SMALL + QKV),
    ({"model_type": "qwen3", "head_dim": 16}, SMALL + HEADS),
    ({"model_type": "gemma", "head_dim": 16}, TIED),
    ({"model_type": "gemma2", "head_dim": 16}, TIED + 4 * 2 * 64),
    ({"model_type": "gemma3_text", "head_dim": 16}, TIED + 4 * 2 * 64 + HEADS),
    ({"model_type": "phi3"}, SMALL),
    ({"model_type": "cohere"}, TIED - 4 * 64),
    ({"model_type": "cohere", "use_qk_norm": True}, TIED - 4 * 64 + 4 * 2 * 4 * 16),
    ({"model_type": "olmo"}, SMALL - 64 - 4 * 2 * 64),
    ({"model_type": "olmo2"}, SMALL + 4 * 2 * 64),
    ({"model_type": "seed_oss", "head_dim": 16}, SMALL + QKV),
    ({"model_type": "glm", "head_dim": 16, "attention_bias": True}, SMALL + QKV),
    ({"model_type": "granite", "tie_word_embeddings": True}, TIED),
    ({"model_type": "smollm3"}, TIED),
    ({"model_type": "internlm2", "bias": False}, SMALL),
    (
        {"model_type": "gemma3", "text_config": {**LLAMA, "head_dim": 16}},
        TIED + 4 * 2 * 64 + HEADS,
    ),
    (
        {
            "model_type": "mistral3",
            "tie_word_embeddings": True,
            "text_config": {**LLAMA, "model_type": "mistral", "num_key_value_heads": 4},
        },
        TIED,
    ),
    (
        {
            "model_type": "mistral3",
            "tie_word_embeddings": True,
            "text_config": {
                **LLAMA,
                "model_type": "mistral",
                "num_key_value_heads": 4,
                "tie_word_embeddings": False,
            },
        },
        SMALL,
    ),
]


@pytest.mark.parametrize(("keys", "expected"), READINGS, ids=lambda value: str(value)[:70])
def test_missing_keys_mean_what_the_class_says(keys: dict[str, object], expected: int) -> None:
    assert expected == architecture({**LLAMA, **keys}).parameters


# what the file says, expected windows of four layers
WINDOWS = [
    ({"sliding_window": 8}, (None,) * 4),
    ({"model_type": "mistral"}, (4096,) * 4),
    ({"model_type": "mistral", "sliding_window": None}, (None,) * 4),
    ({"model_type": "mistral", "sliding_window": 8}, (8,) * 4),
    ({"model_type": "qwen2", "sliding_window": 8}, (None,) * 4),
    (
        {
            "model_type": "qwen2",
            "sliding_window": 8,
            "use_sliding_window": True,
            "max_window_layers": 3,
        },
        (None, None, None, 8),
    ),
    ({"model_type": "gemma2", "head_dim": 16, "sliding_window": 8}, (8, None, 8, None)),
    (
        {"model_type": "gemma3_text", "sliding_window": 8, "sliding_window_pattern": 3},
        (8, 8, None, 8),
    ),
    (
        {
            "model_type": "gemma3_text",
            "sliding_window": 8,
            "layer_types": ["full_attention"] * 3 + ["sliding_attention"],
        },
        (None, None, None, 8),
    ),
    (
        {"model_type": "exaone4", "sliding_window": 8, "sliding_window_pattern": "LG"},
        (8, None, 8, None),
    ),
    ({"model_type": "exaone4", "sliding_window": None}, (None,) * 4),
    ({"model_type": "phi3", "sliding_window": 8}, (8,) * 4),
    ({"model_type": "phi3"}, (None,) * 4),
]


@pytest.mark.parametrize(("keys", "expected"), WINDOWS, ids=lambda value: str(value)[:70])
def test_which_layers_slide(keys: dict[str, object], expected: tuple[int | None, ...]) -> None:
    layers = architecture({**LLAMA, **keys}).layers
    mixers = [mixer for layer in layers for mixer in layer.mixers]
    assert expected == tuple(mixer.window for mixer in mixers if isinstance(mixer, Attention))


def test_the_files_own_quantization_is_carried_along() -> None:
    quantized = {"quant_method": "awq", "bits": 4}
    assert quantized == architecture({**LLAMA, "quantization_config": quantized}).quantization
    assert architecture(LLAMA).quantization is None
