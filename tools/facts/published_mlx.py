"""MLX checkpoints whose index says how many bytes their tensors have."""

from calculators.facts import Row
from tools.facts.published_row import Published

SOURCE = (
    "exo-explore/exo:resources/inference_model_cards/mlx-community--{}.toml@b5375f8c "
    "(storage_size: metadata.total_size of model.safetensors.index.json)"
)
ORGANIZATION = "mlx-community"

# The cards of Qwen3.5 are of 3 March 2026 (exo-explore/exo@28817d3e), so their files are older than
# the mlx-vlm that asks a model how its routers are to be packed
FEBRUARY = "built=2026-02"

# A model that the catalogue does not hold: the shape that its published count of parameters has,
# the dtype of the state as every config of Qwen3.5 says it
QWEN35_2B = {
    "model_type": "qwen3_5",
    "tie_word_embeddings": True,
    "text_config": {
        "full_attention_interval": 4,
        "head_dim": 256,
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "linear_conv_kernel_dim": 4,
        "linear_key_head_dim": 128,
        "linear_num_key_heads": 16,
        "linear_num_value_heads": 16,
        "linear_value_head_dim": 128,
        "mamba_ssm_dtype": "float32",
        "mtp_num_hidden_layers": 1,
        "num_attention_heads": 8,
        "num_hidden_layers": 24,
        "num_key_value_heads": 2,
        "vocab_size": 248320,
    },
    "vision_config": {
        "deepstack_visual_indexes": [],
        "depth": 24,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_heads": 16,
        "num_position_embeddings": 2304,
        "out_hidden_size": 2048,
        "patch_size": 16,
    },
}
CONFIGS: dict[str, Row] = {"Qwen/Qwen3.5-2B": QWEN35_2B}

# Model with these tensors -> repository, recipe, bytes. Left out are sizes that the cards give in
# whole MiB or GiB.
SIZES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "zai-org/GLM-4.7": (
        ("GLM-4.7-4bit", "bits=4", 198_556_925_568),
        ("GLM-4.7-6bit", "bits=6", 286_737_579_648),
        ("GLM-4.7-8bit-gs32", "bits=8&group_size=32", 396_963_397_248),
    ),
    "nvidia/Llama-3.1-Nemotron-70B-Instruct-HF": (
        ("Llama-3.1-Nemotron-70B-Instruct-HF-4bit", "bits=4", 39_688_355_840),
        ("Llama-3.1-Nemotron-70B-Instruct-HF-8bit", "bits=8", 74_964_549_632),
    ),
    "MiniMaxAI/MiniMax-M2.5": (
        ("MiniMax-M2.5-4bit", "bits=4", 128_666_664_960),
        ("MiniMax-M2.5-6bit", "bits=6", 185_826_705_408),
        ("MiniMax-M2.5-8bit", "bits=8", 242_986_745_856),
    ),
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": (
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-MLX-4Bit", "bits=4", 17_775_342_336),
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-MLX-5Bit", "bits=5", 21_721_476_864),
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-MLX-6Bit", "bits=6", 25_667_611_392),
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-MLX-8Bit", "bits=8", 33_559_880_448),
    ),
    "nvidia/NVIDIA-Nemotron-Nano-9B-v2": (
        ("NVIDIA-Nemotron-Nano-9B-v2-4bits", "bits=4", 5_002_791_936),
        ("NVIDIA-Nemotron-Nano-9B-v2-6bit", "bits=6", 7_224_298_496),
    ),
    "Qwen/Qwen3.5-2B": (("Qwen3.5-2B-MLX-8bit", "bits=8", 2_662_787_264),),
    "Qwen/Qwen3.5-9B": (
        ("Qwen3.5-9B-4bit", "bits=4", 5_950_062_560),
        ("Qwen3.5-9B-8bit", "bits=8", 10_426_433_504),
    ),
    "Qwen/Qwen3.5-27B": (
        ("Qwen3.5-27B-4bit", "bits=4", 16_054_266_848),
        ("Qwen3.5-27B-8bit", "bits=8", 29_500_943_328),
    ),
    "Qwen/Qwen3.5-35B-A3B": (
        ("Qwen3.5-35B-A3B-4bit", f"bits=4&{FEBRUARY}", 20_391_405_152),
        ("Qwen3.5-35B-A3B-8bit", f"bits=8&{FEBRUARY}", 37_721_130_592),
    ),
    "Qwen/Qwen3.5-122B-A10B": (
        ("Qwen3.5-122B-A10B-4bit", f"bits=4&{FEBRUARY}", 69_593_314_272),
        ("Qwen3.5-122B-A10B-6bit", f"bits=6&{FEBRUARY}", 100_120_675_296),
        ("Qwen3.5-122B-A10B-8bit", f"bits=8&{FEBRUARY}", 130_648_036_320),
    ),
    "Qwen/Qwen3.5-397B-A17B": (
        ("Qwen3.5-397B-A17B-4bit", f"bits=4&{FEBRUARY}", 223_860_768_352),
        ("Qwen3.5-397B-A17B-6bit", f"bits=6&{FEBRUARY}", 322_946_674_272),
        ("Qwen3.5-397B-A17B-8bit", f"bits=8&{FEBRUARY}", 422_032_580_192),
    ),
    "Qwen/Qwen3.6-27B": (
        ("Qwen3.6-27B-4bit", "bits=4", 16_054_262_240),
        ("Qwen3.6-27B-8bit", "bits=8", 29_500_938_720),
    ),
    "Qwen/Qwen3.6-35B-A3B": (
        ("Qwen3.6-35B-A3B-4bit", "bits=4", 20_401_929_952),
        ("Qwen3.6-35B-A3B-5bit", "bits=5", 24_731_729_632),
        ("Qwen3.6-35B-A3B-8bit", "bits=8", 37_721_128_672),
    ),
    "google/gemma-4-26B-A4B-it": (
        ("gemma-4-26b-a4b-it-4bit", "bits=4", 15_608_614_044),
        ("gemma-4-26b-a4b-it-6bit", "bits=6", 21_781_015_708),
        ("gemma-4-26b-a4b-it-8bit", "bits=8", 27_953_417_372),
    ),
    "google/gemma-4-31B-it": (
        ("gemma-4-31b-it-4bit", "bits=4", 18_411_755_224),
        ("gemma-4-31b-it-6bit", "bits=6", 26_087_306_968),
        ("gemma-4-31b-it-8bit", "bits=8", 33_762_858_712),
    ),
    "google/gemma-4-E2B-it": (
        ("gemma-4-e2b-it-4bit", "bits=4", 3_580_765_126),
        ("gemma-4-e2b-it-6bit", "bits=6", 4_739_998_662),
        ("gemma-4-e2b-it-8bit", "bits=8", 5_899_232_198),
    ),
    "google/gemma-4-E4B-it": (
        ("gemma-4-e4b-it-4bit", "bits=4", 5_216_992_212),
        ("gemma-4-e4b-it-6bit", "bits=6", 7_090_961_364),
        ("gemma-4-e4b-it-8bit", "bits=8", 8_964_930_516),
    ),
}


def mlx_rows() -> list[Row]:
    """One row for each repository."""
    return [_row(model, *size) for model, sizes in SIZES.items() for size in sizes]


def _row(model: str, repo: str, settings: str, size: int) -> Row:
    return Published(
        name=model,
        repo=f"{ORGANIZATION}/{repo}",
        model=None if model in CONFIGS else model,
        config=CONFIGS.get(model),
        format="mlx",
        variant=settings.replace("&", ", ").replace("=", " "),
        recipe=f"format=mlx&{settings}",
        bytes=size,
        counts="tensors",
        what="total_size of the index",
        size_text=f"{size} bytes",
        unit_note="exact bytes of the tensors",
        trust="A",
        source=SOURCE.format(repo),
    ).row()
