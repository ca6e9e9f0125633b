"""GGUF files against what llama.cpp and publishers say they weigh."""

from typing import Any

import pytest

from calculators.facts import rows
from calculators.maths.packing.gguf import pack
from calculators.maths.packing.gguf_mix import Category, Place, Traits, by_rule, fitting
from calculators.maths.packing.gguf_types import (
    BLOCK_TYPES,
    DEFAULT_TYPE,
    FILE_TYPES,
    CannotQuantize,
    file_type_of,
)
from calculators.maths.tensors import architecture
from calculators.maths.tensors.model import Architecture

CONFIGS = {row["id"]: row["config"] for row in rows("models")}
GIB = 2**30


def model(identifier: str) -> Architecture:
    return architecture(CONFIGS[identifier])


# ggml-org/llama.cpp:tools/quantize/README.md@311c2c9f: meta-llama/Llama-3.1-8B. To the last digit.
README = {
    "IQ1_S": 2.0042,
    "IQ1_M": 2.1460,
    "IQ2_XXS": 2.3824,
    "IQ2_XS": 2.5882,
    "IQ2_S": 2.7403,
    "IQ2_M": 2.9294,
    "IQ3_XXS": 3.2548,
    "IQ3_XS": 3.4977,
    "IQ3_S": 3.6606,
    "IQ3_M": 3.7628,
    "IQ4_XS": 4.4597,
    "IQ4_NL": 4.6818,
    "Q2_K_S": 2.9697,
    "Q2_K": 3.1593,
    "Q3_K_S": 3.6429,
    "Q3_K_L": 4.2979,
    "Q4_K_S": 4.6672,
    "Q4_K_M": 4.8944,
    "Q5_K_S": 5.5704,
    "Q5_K_M": 5.7036,
    "Q6_K": 6.5633,
    "Q8_0": 8.5008,
    "F16": 16.0005,
}


@pytest.mark.parametrize(("file_type", "bits_per_weight"), README.items())
def test_bits_per_weight_are_those_that_llama_cpp_prints(
    file_type: str, bits_per_weight: float
) -> None:
    packed = pack(model("meta-llama/Llama-3.1-8B"), file_type)
    assert f"{packed.bits_per_weight:.4f}" == f"{bits_per_weight:.4f}"


# Model, file type, settings, bytes or MiB or GiB of the tensors as a tool printed them; the
# tolerance is half a unit of the last printed digit.
PRINTED = [
    (
        "Qwen/Qwen3.5-35B-A3B",
        "BF16",
        {},
        66152.24 * 2**20,
        0.005 * 2**20,
        "ggml-org/llama.cpp#19770, comment of 2026-02-28",
    ),
    (
        "Qwen/Qwen3.5-35B-A3B",
        "Q4_K_M",
        {"built": "2026-02"},
        20177.96 * 2**20,
        0.005 * 2**20,
        "ggml-org/llama.cpp#19770, comment of 2026-02-28 (master)",
    ),
    (
        "google/gemma-4-E2B-it",
        "Q4_K_M",
        {},
        3412060300,
        0,
        "facts/checkpoints",
    ),
    ("google/gemma-3-4b-it", "Q4_K_M", {}, 2483218432, 0, "facts/checkpoints"),
    (
        "openai/gpt-oss-20b",
        "MXFP4",
        {},
        11.27 * GIB,
        0.005 * GIB,
        "ggml-org/llama.cpp: llama-bench, gpt-oss 20B MXFP4 MoE",
    ),
    (
        "openai/gpt-oss-120b",
        "MXFP4",
        {},
        59.02 * GIB,
        0.005 * GIB,
        "ggml-org/llama.cpp: llama-bench, gpt-oss 120B MXFP4 MoE",
    ),
    (
        "zai-org/GLM-4.7-Flash",
        "Q8_0",
        {},
        29.65 * GIB,
        0.005 * GIB,
        "llama-bench in facts/speed",
    ),
    (
        "google/gemma-4-26B-A4B-it",
        "BF16",
        {},
        47.02 * GIB,
        0.005 * GIB,
        "llama-bench in facts/speed",
    ),
    (
        "meta-llama/Llama-2-7b-hf",
        "Q2_K",
        {"built": "2023-10"},
        2.63 * GIB,
        0.005 * GIB,
        "ggml-org/llama.cpp#2707, which introduced the mix of 2023",
    ),
    (
        "deepseek-ai/DeepSeek-V3",
        "Q4_K_M",
        {"built": "2025-01"},
        376.65 * GIB,
        0.005 * GIB,
        "ikawrakow/ik_llama.cpp#259, llama-bench, deepseek2 671B Q4_K - Medium",
    ),
    (
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "Q2_K",
        {"built": "2023-12"},
        14.57 * GIB,
        0.005 * GIB,
        "ggml-org/llama.cpp#4872, table (master)",
    ),
    (
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "Q3_K_M",
        {"built": "2023-12"},
        18.96 * GIB,
        0.005 * GIB,
        "ggml-org/llama.cpp#4872, table (master)",
    ),
    (
        "Qwen/Qwen3-30B-A3B",
        "Q4_K_M",
        {},
        17.28 * GIB,
        0.005 * GIB,
        "llama-bench, qwen3moe 30B.A3B Q4_K - Medium",
    ),
]


@pytest.mark.parametrize(("identifier", "file_type", "settings", "size", "within", "_"), PRINTED)
def test_tensors_weigh_what_the_tool_printed(
    identifier: str,
    file_type: str,
    settings: dict[str, Any],
    size: float,
    within: float,
    _: str,
) -> None:
    packed = pack(model(identifier), file_type, **settings)
    assert abs(packed.tensor_bytes - size) <= within


# Whole files, exact bytes as their catalogues list them (nomic-ai/gpt4all models3.json@cd70db29,
# lmstudio-ai/model-catalog@78bd5602). Within 25 kB, the spread of name, chat template and added
# tokens between files with the same tokenizer.
FILES = [
    ("meta-llama/Meta-Llama-3-8B", "Q4_K_M", {}, 4920733888),
    ("meta-llama/Llama-3.1-8B", "Q4_K_M", {}, 4920739168),
    ("meta-llama/Llama-3.1-8B", "Q4_0", {}, 4661212096),
    ("meta-llama/Llama-3.2-1B", "Q4_0", {"imatrix": True}, 773025920),
    ("meta-llama/Llama-3.2-3B", "Q4_0", {"imatrix": True}, 1921909280),
    ("mistralai/Mistral-7B-v0.1", "Q4_0", {}, 4108916384),
    ("mistralai/Mistral-7B-v0.1", "IQ4_XS", {}, 3944399776),
    ("mistralai/Mistral-7B-Instruct-v0.2", "Q6_K", {}, 5942065440),
    ("microsoft/Phi-3-mini-4k-instruct", "Q4_0", {}, 2176181568),
    ("microsoft/Phi-3-mini-4k-instruct", "Q4_K_M", {}, 2393232096),
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "Q4_0", {"imatrix": True}, 1068807776),
    ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "Q4_0", {"imatrix": True}, 4444121056),
    ("google/gemma-2-9b-it", "Q4_K_M", {}, 5761057728),
]


@pytest.mark.parametrize(("identifier", "file_type", "settings", "size"), FILES)
def test_files_are_as_large_as_published(
    identifier: str, file_type: str, settings: dict[str, Any], size: int
) -> None:
    packed = pack(model(identifier), file_type, **settings)
    assert abs(packed.file_bytes - size) <= 25_000


@pytest.mark.parametrize("file_type", FILE_TYPES)
def test_every_file_type_packs_a_model_with_odd_rows(file_type: str) -> None:
    """Qwen2.5-0.5B: rows of 896 are no multiple of 256, the head is tied."""
    packed = pack(model("Qwen/Qwen2.5-0.5B"), file_type)
    assert packed.parameters == 494_032_768
    assert sum(part.tensor.parameters for part in packed.parts) == packed.parameters
    assert packed.tensor_bytes < packed.file_bytes


@pytest.mark.parametrize(
    ("file_type", "name", "expected"),
    [
        ("Q4_K_M", "token_embd.weight", {"Q8_0"}),  # serves as the head, whose rows do not divide
        ("Q4_K_M", "blk.{}.attn_q.weight", {"Q5_0"}),
        ("Q4_K_M", "blk.{}.attn_v.weight", {"Q5_0", "Q8_0"}),
        ("Q4_K_M", "blk.{}.ffn_down.weight", {"Q4_K", "Q6_K"}),  # rows of 4864 do
        ("Q2_K", "blk.{}.attn_q.weight", {"Q4_0"}),
        ("IQ2_XS", "blk.{}.attn_q.weight", {"IQ4_NL"}),
        ("Q4_0", "token_embd.weight", {"Q8_0"}),
        ("Q4_0", "blk.{}.attn_norm.weight", {"F32"}),
        ("Q4_0", "blk.{}.attn_q.bias", {"F32"}),
    ],
)
def test_types_of_rows_that_do_not_divide(file_type: str, name: str, expected: set[str]) -> None:
    packed = pack(model("Qwen/Qwen2.5-0.5B"), file_type)
    assert {part.stored_as for part in packed.parts if part.tensor.name == name} == expected


@pytest.mark.parametrize(
    ("chosen", "columns", "expected"),
    [("Q4_K", 256, "Q4_K"), ("Q4_K", 96, "Q5_0"), ("Q6_K", 96, "Q8_0"), ("Q5_K", 40, "F16")],
)
def test_what_stands_in(chosen: str, columns: int, expected: str) -> None:
    assert fitting(chosen, columns) == expected


def test_types_that_nothing_stands_in_for_are_refused() -> None:
    with pytest.raises(CannotQuantize, match="rows of 40"):
        fitting("Q4_0", 40)


@pytest.mark.parametrize(
    ("kind", "file_type", "layers", "traits", "expected"),
    [
        ("value", "Q4_K_M", [0, 3, 4, 6, 9, 28], {}, "Q6_K Q6_K Q4_K Q6_K Q6_K Q6_K"),
        ("value", "Q4_K_M", [5], {"is_70b": True}, "Q5_K"),
        ("value", "Q4_0", [5], {"experts": 8}, "Q8_0"),
        ("value", "IQ2_XS", [5], {"experts": 8}, "Q4_K"),
        ("key", "Q4_K_M", [5], {"experts": 8}, "Q8_0"),
        ("attention_output", "Q4_K_M", [5], {"experts": 8}, "Q5_K"),
        ("attention_output", "Q3_K_L", [5], {"experts": 8}, "Q3_K"),
        ("attention_output", "Q3_K_L", [5], {}, "Q5_K"),
        ("down", "Q4_K_S", [3, 4], {}, "Q5_K Q4_K"),
        ("down", "IQ4_XS", [0, 4], {}, "Q5_K IQ4_XS"),
        ("down", "IQ4_XS", [0], {"imatrix": True}, "IQ4_XS"),
        ("down", "Q5_0", [0], {"imatrix": True}, "Q5_1"),
        ("down", "Q4_K_M", [0, 2, 3, 6], {"falcon": True}, "Q6_K Q5_K Q5_K Q5_K"),
        ("up", "IQ3_XS", [3, 4, 28], {}, "IQ3_S IQ3_XXS IQ3_S"),
    ],
)
def test_rules_of_the_mix(
    kind: Category, file_type: str, layers: list[int], traits: dict[str, Any], expected: str
) -> None:
    """32 layers; eight query heads to a key head only where said."""
    defaults = {"query_heads_per_key_value_head": 1, "experts": 0, "is_70b": False}
    place = [Place(layer, 32, Traits(**defaults | traits)) for layer in layers]
    assert " ".join(by_rule(kind, file_type, each) for each in place) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("q4_k", ("Q4_K_M", None)),
        ("Q3_K", ("Q3_K_M", None)),
        ("mxfp4", ("MXFP4_MOE", None)),
        ("q4_k_l", ("Q4_K_M", "Q8_0")),
    ],
)
def test_aliases(name: str, expected: tuple[Any, ...]) -> None:
    assert file_type_of(name) == expected


def test_unknown_file_types_are_named() -> None:
    with pytest.raises(CannotQuantize, match="'Q9_Z' is no GGUF file type"):
        file_type_of("Q9_Z")


def test_the_lowest_types_need_an_importance_matrix() -> None:
    with pytest.raises(CannotQuantize, match="importance matrix"):
        pack(model("Qwen/Qwen2.5-0.5B"), "IQ1_S", imatrix=False)


def test_every_default_is_a_block_type() -> None:
    assert set(DEFAULT_TYPE.values()) <= set(BLOCK_TYPES)


def test_latent_attention_is_split_for_absorption() -> None:
    """kv_b becomes k_b, whose rows of 128 take no K-quant, and v_b; together as many elements."""
    packed = pack(model("deepseek-ai/DeepSeek-V3"), "Q4_K_M")
    types = {part.tensor.name: part.stored_as for part in packed.parts}
    assert types["blk.{}.attn_k_b.weight"] == "Q5_0"
    assert types["blk.{}.attn_v_b.weight"] == "Q4_K"
    assert round(packed.parameters / 1e9, 2) == 671.03  # as llama.cpp prints it


def test_experts_that_are_mxfp4_already_stay_so() -> None:
    packed = pack(model("openai/gpt-oss-20b"), "Q4_K_M")
    types = {part.stored_as for part in packed.parts if part.tensor.name.endswith("exps.weight")}
    assert types == {"MXFP4"}


@pytest.mark.parametrize(
    ("identifier", "built", "parameters"),
    [
        ("zai-org/GLM-4.5-Air", "", 110.47),  # llama-bench: glm4moe 106B.A12B, 110.47 B
        ("Qwen/Qwen3.5-35B-A3B", "", 34.66),  # llama-bench: qwen35moe 35B.A3B, 34.66 B
        ("Qwen/Qwen3.5-35B-A3B", "2026-10", 35.51),  # with its prediction block
        ("deepseek-ai/DeepSeek-V3", "2026-10", 671.03),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "", 31.58),
    ],
)
def test_prediction_blocks_are_there_where_the_converter_writes_them(
    identifier: str, built: str, parameters: float
) -> None:
    packed = pack(model(identifier), "Q8_0", built=built or None)
    assert round(packed.parameters / 1e9, 2) == parameters


def test_vision_towers_are_not_in_the_file() -> None:
    packed = pack(model("google/gemma-3-4b-it"), "Q4_0")
    assert not [part for part in packed.parts if "vision" in part.tensor.name]


@pytest.mark.parametrize(
    ("identifier", "name", "length"),
    [
        ("meta-llama/Llama-3.1-8B", "rope_freqs.weight", 64),
        ("meta-llama/Llama-3.2-1B", "rope_freqs.weight", 32),
        ("microsoft/Phi-4-mini-instruct", "rope_factors_long.weight", 48),
        ("google/gemma-4-E2B-it", "rope_freqs.weight", 256),
    ],
)
def test_rotary_factors_are_tensors(identifier: str, name: str, length: int) -> None:
    parts = {part.tensor.name: part for part in pack(model(identifier), "Q4_0").parts}
    assert (parts[name].tensor.shape, parts[name].stored_as) == ((length,), "F32")


@pytest.mark.parametrize(
    ("identifier", "basis"),
    [("Qwen/Qwen3-8B", "measured"), ("openai/gpt-oss-20b", "modelled")],
)
def test_a_header_says_what_it_is(identifier: str, basis: str) -> None:
    assert pack(model(identifier), "Q4_0").header_basis == basis
