"""MLX checkpoints whose index says how many bytes their tensors have."""

from typing import Any

SOURCE = (
    "exo-explore/exo:resources/inference_model_cards/mlx-community--{}.toml@b5375f8c "
    "(storage_size: metadata.total_size of model.safetensors.index.json)"
)
ORGANIZATION = "mlx-community"

# Model with these tensors -> repository, recipe, bytes. Left out are sizes that the cards give in
# whole MiB or GiB, and Qwen3.5: its files hold A_log in float32 (2 to 6 kB more than predicted),
# which no config tells, and the 4- and 6-bit ones of mixtures are older than the routers' 8 bits
# (0.01 to 0.05 % less).
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


def mlx_rows() -> list[dict[str, Any]]:
    """One row for each repository."""
    return [_row(model, *size) for model, sizes in SIZES.items() for size in sizes]


def _row(model: str, repo: str, settings: str, size: int) -> dict[str, Any]:
    return {
        "name": model,
        "repo": f"{ORGANIZATION}/{repo}",
        "model": model,
        "format": "mlx",
        "variant": settings.replace("&", ", ").replace("=", " "),
        "recipe": f"format=mlx&{settings}",
        "bytes": size,
        "counts": "tensors",
        "what": "total_size of the index",
        "size_text": f"{size} bytes",
        "unit_note": "exact bytes of the tensors",
        "trust": "A",
        "source": SOURCE.format(repo),
    }
