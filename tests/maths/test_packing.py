"""Packing held against published byte counts, scale counts and the layouts of the tools."""

from typing import Any

import pytest

from calculators.facts import rows
from calculators.maths.packing import CannotPack, Checkpoint, Recipe, checkpoint, compare, formats
from calculators.maths.packing.module_lists import excluded
from calculators.maths.packing.ways import UnknownQuantization
from calculators.maths.tensors import Architecture, architecture

MODELS = {row["id"]: row for row in rows("models")}
LLAMA_8B = "meta-llama/Llama-3.1-8B"
LLAMA_70B = "meta-llama/Llama-3.1-70B"


def model(name: str) -> Architecture:
    return architecture(MODELS[name]["config"])


def quantized(packed: Checkpoint) -> tuple[int, int]:
    """Bytes and weights of what is packed."""
    parts = [part for part in packed.parts if part.quantized]
    return sum(part.bytes for part in parts), sum(part.tensor.parameters for part in parts)


TENSOR_BYTES = [
    # model, recipe, bytes, source
    (LLAMA_8B, "format=awq", 5_727_854_592, "5.73 GB at pavan01729/Meta-Llama-3.1-8B-Instruct-AWQ"),
    (LLAMA_8B, "format=bf16", 16_060_522_496, "2 x 8,030,261,248"),
    (LLAMA_8B, "format=fp8", 9_081_200_640 + 2 * 4 * 224, "llm-d-planner, and two scalars each"),
    ("openai/gpt-oss-20b", "format=original", 13_761_264_768, "index total_size"),
    ("openai/gpt-oss-20b", "format=mxfp4", 13_761_264_768, "index total_size"),
    ("deepseek-ai/DeepSeek-V3", "format=awq&group_size=64", 364_589_799_936, "index total_size"),
]


@pytest.mark.parametrize(("name", "recipe", "published", "source"), TENSOR_BYTES)
def test_tensor_bytes(name: str, recipe: str, published: int, source: str) -> None:
    assert checkpoint(model(name), recipe).tensor_bytes == published, source


GIGABYTES = [
    # model, recipe, GB as printed, source; half of the last digit is the tolerance
    ("meta-llama/Llama-2-7b-hf", "format=awq", 3.89, "TheBloke/LlamaGuard-7B-AWQ"),
    ("meta-llama/Llama-2-70b-hf", "format=awq", 36.61, "TheBloke/Upstage-Llama-2-70B-v2-AWQ"),
    ("mistralai/Mistral-7B-v0.1", "format=awq", 4.15, "TheBloke/Mistral-7B-v0.1-AWQ"),
    (LLAMA_70B, "format=awq", 39.77, "derived from the same layout"),
    (LLAMA_8B, "format=nvfp4", 6.03, "4 + 8/16 bits on the matrices"),
    (LLAMA_8B, "format=mlx", 4.52, "4.5 bits on every matrix, embedding and head included"),
]


@pytest.mark.parametrize(("name", "recipe", "printed", "source"), GIGABYTES)
def test_printed_sizes(name: str, recipe: str, printed: float, source: str) -> None:
    found = checkpoint(model(name), recipe).file_bytes / 1e9
    assert printed == pytest.approx(found, abs=0.005), source


SCALES = [
    # model, recipe, scales in the published repository, bytes of one
    ("Qwen/Qwen3-30B-A3B-Instruct-2507", "format=fp8-block", 1_824_768, 4),
    ("Qwen/Qwen3-235B-A22B-Instruct-2507", "format=fp8-block", 14_269_952, 4),
    ("Qwen/Qwen3-4B-Instruct-2507", "format=fp8-block", 221_760, 4),
    ("LGAI-EXAONE/EXAONE-4.0-32B", "format=fp8-block", 1_889_280, 4),
    ("deepseek-ai/DeepSeek-V3", "format=original", 41_540_496, 4),
    ("deepseek-ai/DeepSeek-V3.2", "format=original", 41_591_584, 4),
    ("moonshotai/Kimi-K2-Instruct", "format=original", 62_495_192, 4),
    ("MiniMaxAI/MiniMax-M2.5", "format=original", 13_880_064, 4),
    ("XiaomiMiMo/MiMo-V2-Flash", "format=original", 18_668_736, 4),
    (LLAMA_70B, "format=fp8-channel", 6_717_440, 2),
]


@pytest.mark.parametrize(("name", "recipe", "scales", "each"), SCALES)
def test_scale_counts(name: str, recipe: str, scales: int, each: int) -> None:
    size, weights = quantized(checkpoint(model(name), recipe))
    assert size - weights == scales * each


def test_static_fp8_has_two_scales_for_each_matrix() -> None:
    config = next(r for r in rows("published") if "DeepSeek-Coder-V2" in r["name"])["config"]
    size, weights = quantized(checkpoint(architecture(config), "format=fp8"))
    assert size - weights == 4 * 57_600  # RedHatAI/DeepSeek-V2.5-1210-FP8, the same shapes


MIXED_SCALES = [
    # model as published, how a matrix is labelled, weights of one scale, scales published
    ("deepseek-ai/DeepSeek-V4-Flash", "mxfp4 g32", 32, 8_858_370_048),
    ("openai/gpt-oss-20b", "mxfp4 g32", 32, 597_196_800),
    ("openai/gpt-oss-120b", "mxfp4 g32", 32, 3_583_180_800),
    ("moonshotai/Kimi-K2.5", "int4 g32", 32, 31_708_938_240),
]


@pytest.mark.parametrize(("name", "label", "group", "scales"), MIXED_SCALES)
def test_group_scale_counts(name: str, label: str, group: int, scales: int) -> None:
    packed = checkpoint(model(name), "format=original")
    weights = sum(p.tensor.parameters for p in packed.parts if p.stored_as == label)
    assert weights == scales * group


def test_block_scales_of_a_mixed_checkpoint() -> None:
    packed = checkpoint(model("deepseek-ai/DeepSeek-V4-Flash"), "format=original")
    blocks = [part for part in packed.parts if part.stored_as == "fp8 128x128"]
    assert sum(part.bytes - part.tensor.parameters for part in blocks) == 367_616  # published


COPIED_HEADS = [
    # tied model, elements of the lm_head that the published AWQ and FP8 files hold nevertheless
    ("Qwen/Qwen2.5-3B-Instruct", "format=awq&built=2025-01", 311_164_928),
    ("Qwen/Qwen2.5-1.5B", "format=awq&built=2025-01", 233_373_696),
    ("Qwen/Qwen3-4B-Instruct-2507", "format=fp8-block", 388_956_160),
]


@pytest.mark.parametrize(("name", "recipe", "elements"), COPIED_HEADS)
def test_copied_head(name: str, recipe: str, elements: int) -> None:
    shared = checkpoint(model(name), recipe)
    copied = checkpoint(model(name), f"{recipe}&head=copied")
    assert copied.tensor_bytes - shared.tensor_bytes == 2 * elements


@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-3B-Instruct", "Qwen/Qwen2.5-1.5B"])
def test_awq_copied_heads_until_november_2024(name: str) -> None:
    published = checkpoint(model(name), "format=awq")
    assert published.parameters > model(name).parameters
    made_now = {**MODELS[name]["config"], "quantization_config": {"quant_method": "awq"}}
    said = checkpoint(architecture(made_now), "format=original")
    assert said.tensor_bytes == published.tensor_bytes


BITS = [
    # recipe, bits per weight of what is quantized, how they add up, tolerance
    ("format=awq", 4 + 16 / 128 + 4 / 128, "scale and zero of a group", 0.0),
    ("format=awq&group_size=64", 4 + 16 / 64 + 4 / 64, "scale and zero of a group", 0.0),
    ("format=bnb-fp4", 4 + 32 / 64, "float32 per block", 1e-4),
    ("format=bnb-nf4", 4 + 8 / 64 + 32 / (64 * 256), "nested scales", 1e-3),
    ("format=nvfp4", 4 + 8 / 16, "float8 per group", 1e-5),
    ("format=mxfp4", 4 + 8 / 32, "exponent per group", 0.0),
    ("format=mlx&bits=6", 6 + 2 * 16 / 64, "scale and bias of a group", 0.0),
    ("format=w4a16", 4 + 16 / 128, "scale of a group", 1e-5),
    ("format=hqq", 4 + 2 * 16 / 64, "scale and zero of a group", 1e-4),
]


@pytest.mark.parametrize(("recipe", "bits", "because", "tolerance"), BITS)
def test_bits_of_the_quantized(recipe: str, bits: float, because: str, tolerance: float) -> None:
    found = checkpoint(model(LLAMA_8B), recipe).quantized_bits_per_weight
    assert found == pytest.approx(bits, abs=tolerance), because


@pytest.mark.parametrize("built", ["", "&built=2025-07"])
@pytest.mark.parametrize("bpw", [2.0, 2.5, 3.0, 4.25, 5.0])
def test_exl3_spends_its_budget(bpw: float, built: str) -> None:
    packed = checkpoint(model(LLAMA_8B), f"format=exl3&bpw={bpw}{built}")
    layers = [part for part in packed.parts if part.quantized and part.tensor.layers]
    spent = 8 * sum(part.bytes for part in layers) / sum(p.tensor.parameters for p in layers)
    # sign-scales add 16 bits per row and column; a group of the smallest size may stay unspent
    assert bpw == pytest.approx(spent - 0.008, abs=0.008)


def test_header_of_gpt_oss() -> None:
    published = 13_761_316_904 - 13_761_264_768  # three files less the tensors
    found = checkpoint(model("openai/gpt-oss-20b"), "format=original").header_bytes
    assert published == pytest.approx(found, rel=0.02)  # one file more or less is 43 bytes


@pytest.mark.parametrize(
    "query",
    [
        "format=awq",
        "format=gptq&bits=3&group_size=-1&act_order=true",
        "format=exl3&bpw=4.25&head_bits=8",
        "format=nvfp4&keep=default,attention,-head",
        "format=w4a16&keep=head,*shared_experts*&drop=vision",
        "format=gguf-q4_k_m&imatrix=true",
    ],
)
def test_a_recipe_is_its_query(query: str) -> None:
    assert Recipe.parse(query).query == query


def test_defaults_need_not_be_said() -> None:
    assert Recipe.parse("format=awq&bits=4&group_size=128&zero_point=true").query == "format=awq"


MISTAKES = [
    ("format=awk", "format: 'awk' is not known"),
    ("format=awq&bits=3", "bits: AWQ has 4, not 3"),
    ("format=awq&act_order=true", "act_order: AWQ has no such setting"),
    ("format=gptq&group_size=many", "group_size: 'many', not a number"),
    ("format=gptq&act_order=perhaps", "act_order: 'perhaps', say true or false"),
    ("format=exl2&bpw=40", "bpw: 40.0 is outside 1 to 8"),
    ("format=bf16&colour=red", "colour: no such setting"),
    ("format=bf16&dtype=float64", "dtype: 'float64' is none of"),
]


@pytest.mark.parametrize(("query", "message"), MISTAKES)
def test_mistakes_are_named(query: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe.parse(query)


def test_unknown_words_to_keep_are_named() -> None:
    with pytest.raises(ValueError, match="keep: 'everything'"):
        checkpoint(model(LLAMA_8B), "format=awq&keep=everything")


KEPT = [
    # keep, kinds that are quantized then
    ("default", {"attention", "mlp"}),
    ("default,attention", {"mlp"}),
    ("default,-head", {"attention", "mlp", "head"}),
    ("default,*.down_proj.*", {"attention", "mlp"}),
    ("embedding,head,router,mlp", {"attention"}),
]


@pytest.mark.parametrize(("keep", "kinds"), KEPT)
def test_what_stays(keep: str, kinds: set[str]) -> None:
    packed = checkpoint(model(LLAMA_8B), f"format=fp8&keep={keep}")
    assert {part.tensor.kind for part in packed.parts if part.quantized} == kinds


def test_every_variant_of_a_dense_model_packs() -> None:
    packed = compare(model(LLAMA_8B))
    assert len(packed) >= sum(len(one.variants) for one in formats())
    assert not [key for key, value in packed.items() if isinstance(value, CannotPack)]


def test_a_refusal_names_the_matrix() -> None:
    config = {**MODELS[LLAMA_8B]["config"], "intermediate_size": 11_000}
    with pytest.raises(CannotPack, match=r"mlp\.down_proj.*128 must divide its inputs"):
        checkpoint(architecture(config), "format=awq")


def test_mlx_leaves_what_the_group_does_not_divide() -> None:
    config = {**MODELS[LLAMA_8B]["config"], "intermediate_size": 11_000}
    packed = checkpoint(architecture(config), "format=mlx")
    kept = {part.tensor.name for part in packed.parts if not part.quantized}
    assert "model.layers.{}.mlp.down_proj.weight" in kept


MLX_ROUTERS = [
    # model, what the recipe adds, how mlx-lm stores its routers at 4 bits, where that is said
    ("mistralai/Mixtral-8x7B-Instruct-v0.1", "", "mlx 4 bits g64", "mixtral.py has no predicate"),
    ("Qwen/Qwen3-30B-A3B", "", "mlx 8 bits g64", "qwen3_moe.py, quant_predicate"),
    ("Qwen/Qwen3-30B-A3B", "&built=2025-08", "mlx 8 bits g64", "mlx-lm of 5 August 2025"),
    ("Qwen/Qwen3-30B-A3B", "&built=2025-07", "mlx 4 bits g64", "utils.py asks no model"),
    ("Qwen/Qwen3.5-35B-A3B", "&built=2026-03", "mlx 8 bits g64", "mlx-vlm of 6 March 2026"),
    ("Qwen/Qwen3.5-35B-A3B", "&built=2026-02", "mlx 4 bits g64", "mlx-vlm asks no model"),
    ("Qwen/Qwen3.5-35B-A3B", "&built=2026-02&drop=mtp,vision", "mlx 8 bits g64", "mlx-lm"),
    ("zai-org/GLM-4.7", "", "bfloat16", "glm4_moe.py, MoEGate: a bare parameter"),
]


@pytest.mark.parametrize(("name", "more", "stored", "source"), MLX_ROUTERS)
def test_mlx_routers(name: str, more: str, stored: str, source: str) -> None:
    packed = checkpoint(model(name), f"format=mlx{more}")
    routers = {p.stored_as for p in packed.parts if p.tensor.name.endswith("gate.weight")}
    assert routers == {stored}, source


STATE_DTYPES = [
    # model, recipe, dtypes of A_log and of the norm behind it, where that is said
    ("Qwen/Qwen3.5-27B", "format=original", "float32", "float32", "its files"),
    ("Qwen/Qwen3.5-27B", "format=mlx", "float32", "bfloat16", "qwen3_5.py, cast_predicate"),
    ("Qwen/Qwen3.5-27B", "format=mlx&dtype=float16", "float32", "float16", "the same"),
    ("Qwen/Qwen3.5-27B", "format=bf16", "bfloat16", "bfloat16", "a cast of everything"),
    ("Qwen/Qwen3.6-27B", "format=mlx", "bfloat16", "bfloat16", "the files it is made from"),
    ("Qwen/Qwen3-Next-80B-A3B-Instruct", "format=mlx", "bfloat16", "bfloat16", "the same"),
]


@pytest.mark.parametrize(("name", "recipe", "a_log", "norm", "source"), STATE_DTYPES)
def test_dtypes_of_gated_delta_nets(
    name: str, recipe: str, a_log: str, norm: str, source: str
) -> None:
    stored = {p.tensor.name: p.stored_as for p in checkpoint(model(name), recipe).parts}
    found = {
        name.rpartition("linear_attn.")[2]: dtype
        for name, dtype in stored.items()
        if name.endswith(("linear_attn.A_log", "linear_attn.norm.weight"))
    }
    assert found == {"A_log": a_log, "norm.weight": norm}, source


CONFIGS: list[tuple[dict[str, Any], str]] = [
    # a config's quantization_config, the recipe that it is
    ({"quant_method": "awq", "bits": 4, "group_size": 64}, "format=awq&group_size=64"),
    ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "format=gptq&bits=8&group_size=-1"),
    (
        {"quant_method": "bitsandbytes", "bnb_4bit_quant_type": "nf4", "load_in_4bit": True},
        "format=bnb-nf4&double_quant=false",
    ),
    ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "format=fp8-block"),
    ({"quant_method": "fp8", "activation_scheme": "static"}, "format=fp8"),
    ({"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head"]}, "format=nvfp4"),
]


@pytest.mark.parametrize(("quantization", "recipe"), CONFIGS)
def test_a_config_says_how_it_was_made(quantization: dict[str, Any], recipe: str) -> None:
    plain = MODELS[LLAMA_8B]["config"]
    said = checkpoint(
        architecture({**plain, "quantization_config": quantization}), "format=original"
    )
    assert said.tensor_bytes == checkpoint(architecture(plain), recipe).tensor_bytes


def test_a_dtype_that_is_not_known_is_named() -> None:
    config = {**MODELS[LLAMA_8B]["config"], "torch_dtype": "posit16"}
    with pytest.raises(CannotPack, match="dtype 'posit16'"):
        checkpoint(architecture(config), "format=original")


def test_a_method_that_is_not_known_is_named() -> None:
    config = {**MODELS[LLAMA_8B]["config"], "quantization_config": {"quant_method": "magic"}}
    with pytest.raises(UnknownQuantization, match="quant_method 'magic'"):
        checkpoint(architecture(config), "format=original")


EXCLUDED = [
    # entries of an exclude list, module, whether it is named
    (["lm_head"], "lm_head", True),
    (["gate"], "model.layers.3.block_sparse_moe.gate", True),
    (["gate"], "model.layers.3.mlp.gate_proj", False),
    (["model.layers.3.mlp"], "model.language_model.layers.3.mlp.up_proj", True),
    (["model.layers.3.mlp"], "model.layers.30.mlp.up_proj", False),
    (["model.layers.*.self_attn"], "model.layers.7.self_attn.q_proj", True),
    ([r"re:.*mlp\.(gate|up|down)_proj.*"], "model.layers.0.mlp.up_proj", True),
    ([r"re:.*mlp\.(gate|up|down)_proj.*"], "model.layers.0.mlp.experts.0.up_proj", False),
]


@pytest.mark.parametrize(("patterns", "module", "named"), EXCLUDED)
def test_exclude_lists(patterns: list[str], module: str, named: bool) -> None:
    assert excluded(patterns)(module) is named


def test_layers_may_differ() -> None:
    kept = {
        "quant_method": "fp8",
        "weight_block_size": [128, 128],
        "modules_to_not_convert": ["model.layers.0", "model.layers.31.mlp"],
    }
    config = {**MODELS[LLAMA_8B]["config"], "quantization_config": kept}
    packed = checkpoint(architecture(config), "format=original")
    layers = {
        part.tensor.kind: len(part.tensor.layers)
        for part in packed.parts
        if part.quantized and part.tensor.linear
    }
    assert layers == {"attention": 31, "mlp": 30}
