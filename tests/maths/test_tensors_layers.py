"""What mixes the tokens of a layer and what follows, of models whose layers differ."""

import pytest

from calculators.facts import rows
from calculators.maths.tensors import (
    Architecture,
    Attention,
    Compressed,
    Experts,
    Latent,
    Mlp,
    Recurrent,
    architecture,
)

CONFIGS = {row["id"]: row["config"] for row in rows("models") if row["check"] != "partial"}


def of(model: str) -> Architecture:
    return architecture(CONFIGS[model])


def cached_elements(found: Architecture) -> int:
    """Elements per token that the cache of all layers holds, windows not yet full."""
    total = 0
    for mixer in (mixer for layer in found.layers for mixer in layer.mixers):
        if not isinstance(mixer, Attention):
            continue
        if mixer.latent:
            latent = mixer.latent
            total += latent.kv_lora_rank + latent.rope_head_dim + latent.index_head_dim
        else:
            total += mixer.key_value_heads * (mixer.head_dim + mixer.value_head_dim)
    return total


@pytest.mark.parametrize(
    ("model", "kib_per_token"),
    # 2-byte cache; sebastianraschka.com/llm-architecture-gallery, the third a log of Ollama.
    [
        ("deepseek-ai/DeepSeek-V3", 68.625),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", 24),
        ("Qwen/Qwen3.6-27B", 64),
        # By the formula of the same rows: 56 latent caches; 61 with an index key of 128.
        ("meituan-longcat/LongCat-Flash-Chat", 56 * 576 * 2 / 1024),
        ("deepseek-ai/DeepSeek-V3.2", 61 * (576 + 128) * 2 / 1024),
        ("zai-org/GLM-5.3", (78 * 576 + 21 * 128) * 2 / 1024),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", 6 * 2 * 2 * 128 * 2 / 1024),
    ],
)
def test_layers_say_what_the_cache_holds(model: str, kib_per_token: float) -> None:
    assert cached_elements(of(model)) * 2 / 1024 == kib_per_token


def mixers(model: str, layer: int) -> tuple[Attention | Recurrent, ...]:
    return of(model).layers[layer].mixers


LATENT = Latent(512, 64)


@pytest.mark.parametrize(
    ("model", "layer", "expected"),
    [
        ("deepseek-ai/DeepSeek-V3", 60, Attention(128, 128, 192, 128, latent=LATENT)),
        # Sliding layers of Step have 96 heads, full ones 64.
        ("stepfun-ai/Step-3.5-Flash", 0, Attention(64, 8, 128, 128)),
        ("stepfun-ai/Step-3.5-Flash", 1, Attention(96, 8, 128, 128, window=512)),
        # Keys of MiMo are wider than its values.
        ("XiaomiMiMo/MiMo-V2-Flash", 0, Attention(64, 4, 192, 128)),
        ("XiaomiMiMo/MiMo-V2-Flash", 1, Attention(64, 8, 192, 128, window=128)),
        ("openai/gpt-oss-20b", 0, Attention(64, 8, 64, 64, window=128)),
        ("openai/gpt-oss-20b", 1, Attention(64, 8, 64, 64)),
        # Every fourth layer of Llama 4 sees the whole text.
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 2, Attention(40, 8, 128, 128, chunk=8192)),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 3, Attention(40, 8, 128, 128)),
        (
            "deepseek-ai/DeepSeek-V4-Flash",
            2,
            Attention(
                64,
                1,
                512,
                512,
                window=128,
                keys_are_values=True,
                compressed=Compressed(4, index_head_dim=128),
            ),
        ),
        (
            "deepseek-ai/DeepSeek-V4-Flash",
            3,
            Attention(
                64, 1, 512, 512, window=128, keys_are_values=True, compressed=Compressed(128)
            ),
        ),
        (
            "deepseek-ai/DeepSeek-V4-Flash",
            0,
            Attention(64, 1, 512, 512, window=128, keys_are_values=True),
        ),
        # Convolution 3 x (2 x 2048 + 4096), a 128 x 128 matrix for each of 32 value heads.
        (
            "Qwen/Qwen3-Next-80B-A3B-Instruct",
            0,
            Recurrent("delta_net", 3 * 8192, 32 * 128 * 128),
        ),
        # Convolution 3 x (64 x 64 + 2 x 8 x 128), 128 for each of 4096 channels.
        (
            "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
            0,
            Recurrent("mamba2", 3 * (4096 + 2048), 128 * 4096),
        ),
        ("ai21labs/AI21-Jamba-1.5-Mini", 0, Recurrent("mamba", 3 * 8192, 16 * 8192)),
        (
            "moonshotai/Kimi-Linear-48B-A3B-Instruct",
            0,
            Recurrent("kimi_delta", 3 * 3 * 4096, 32 * 128 * 128),
        ),
        ("MiniMaxAI/MiniMax-M1-80k", 0, Recurrent("lightning", 0, 64 * 128 * 128)),
    ],
)
def test_what_mixes_the_tokens_of_a_layer(
    model: str, layer: int, expected: Attention | Recurrent
) -> None:
    assert mixers(model, layer) == (expected,)


def test_falcon_h1_attends_and_recurs_in_one_layer() -> None:
    kinds = [type(mixer) for mixer in mixers("tiiuae/Falcon-H1-0.5B-Base", 0)]
    assert kinds == [Attention, Recurrent]


@pytest.mark.parametrize(
    ("model", "layer", "expected"),
    [
        ("deepseek-ai/DeepSeek-V3", 0, (Mlp(18432),)),
        ("deepseek-ai/DeepSeek-V3", 3, (Experts(256, 8, 2048, 2048),)),
        ("Qwen/Qwen1.5-MoE-A2.7B", 0, (Experts(60, 4, 1408, 5632),)),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct", 0, (Mlp(16384),)),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct", 1, (Experts(128, 1, 8192, 8192),)),
        (
            "meituan-longcat/LongCat-Flash-Chat",
            0,
            (Mlp(12288), Mlp(12288), Experts(512, 12, 2048)),
        ),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", 1, (Mlp(15680, gated=False),)),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", 0, ()),
        ("ibm-granite/granite-4.0-micro", 0, (Mlp(8192),)),
    ],
)
def test_what_follows_the_mixer_of_a_layer(
    model: str, layer: int, expected: tuple[Mlp | Experts, ...]
) -> None:
    assert of(model).layers[layer].feed_forward == expected


@pytest.mark.parametrize("model", CONFIGS)
def test_layers_and_tensors_tell_the_same_story(model: str) -> None:
    found = of(model)
    experts = [
        feed for layer in found.layers for feed in layer.feed_forward if isinstance(feed, Experts)
    ]
    per_layer = [tensor for tensor in found.tensors if tensor.kind == "expert"]
    assert {tensor.copies for tensor in per_layer} == {feed.count for feed in experts}
    assert all(layer.mixers or layer.feed_forward for layer in found.layers)
    inside = [tensor for tensor in found.tensors if tensor.part == "text" and tensor.layers]
    assert max(max(tensor.layers) for tensor in inside) == len(found.layers) - 1
    assert all("{}" in tensor.name for tensor in inside)
