"""KV cache: bytes per token and per context, and the blocks engines cut it into."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculators.kit.units import MIB
from calculators.maths.closure import shape
from calculators.maths.engines.blocks import Cut, pool
from calculators.maths.engines.llama_cpp import LlamaCpp
from calculators.maths.engines.model import Plan
from calculators.maths.engines.vllm import Vllm
from calculators.maths.kv_cache import (
    CacheLayer,
    UnknownKvDtype,
    cache_layers,
    counted,
    kv_bytes_per_token,
    kv_cache_bytes,
    kv_dtype,
    state_bytes,
)
from calculators.maths.tensors import Architecture, Attention

LLAMA_3 = "meta-llama/Meta-Llama-3-8B"
DEEPSEEK = "deepseek-ai/DeepSeek-V3"
GEMMA_3 = "google/gemma-3-27b-it"
GEMMA_4 = "google/gemma-4-12B-it"
QWEN_NEXT = "Qwen/Qwen3.6-27B"


def model(name: str) -> Architecture:
    found = shape(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize(
    ("expected", "name", "context", "dtype"),
    [
        # 32 layers x 2 x 8 heads x 128 x 2 bytes = 131,072 a token
        (2**30, LLAMA_3, 8192, "f16"),
        (2**29, LLAMA_3, 8192, "fp8"),
        (2**30 // 2 * 34 // 32, LLAMA_3, 8192, "q8_0"),
        (2**30 // 2 * 18 // 32, LLAMA_3, 8192, "q4_0"),
        # 61 layers x (512 + 64) x 2 bytes
        (575_668_224, DEEPSEEK, 8192, "f16"),
        (61 * 656 * 8192, DEEPSEEK, 8192, "fp8_ds_mla"),
        # 10 full layers keep all, 52 sliding ones their 1,024 tokens: 8,192 bytes x heads of 128
        (8192 * 2 * 16 * 128 * 2 * 10 + 1024 * 2 * 16 * 128 * 2 * 52, GEMMA_3, 8192, "f16"),
    ],
)
def test_kv_cache_bytes(expected: int, name: str, context: int, dtype: str) -> None:
    assert kv_cache_bytes(model(name), context, dtype) == expected


@pytest.mark.parametrize(
    ("expected", "name", "tensor_parallel"),
    [
        (131_072, LLAMA_3, 1),
        (16_384, LLAMA_3, 8),
        (16_384, LLAMA_3, 16),  # 8 KV heads on 16 ranks: every rank keeps one, twice in all
        (70_272, DEEPSEEK, 1),
        (70_272, DEEPSEEK, 8),  # the latent is kept whole by every rank
        (65_536, QWEN_NEXT, 1),  # 16 of 64 layers, 4 x 256
    ],
)
def test_kv_bytes_per_token(expected: int, name: str, tensor_parallel: int) -> None:
    assert kv_bytes_per_token(model(name), "f16", tensor_parallel=tensor_parallel) == expected


def test_state_of_a_hybrid() -> None:
    # 48 layers: 3 x 10,240 inputs of the convolution in 16 bit, 48 x 128 x 128 of the state in 32
    assert state_bytes(model(QWEN_NEXT)) == 48 * (3 * 10_240 * 2 + 48 * 128 * 128 * 4)


def test_state_of_a_hybrid_in_llama_cpp() -> None:
    # 149.62 MiB per slot, ggml-org/llama.cpp PR 23792
    engine = LlamaCpp(model(QWEN_NEXT), Plan(engine="llama.cpp"))
    assert engine.kv_parts(4096)[2] / MIB == pytest.approx(149.62, abs=0.01)


@pytest.mark.parametrize(
    ("expected", "row"),
    [(34, "q8_0"), (24, "q5_1"), (22, "q5_0"), (20, "q4_1"), (18, "q4_0"), (64, "f16")],
)
def test_block_bytes(expected: int, row: str) -> None:
    assert kv_dtype(row).bytes(32) == expected


def test_unknown_type_is_named() -> None:
    with pytest.raises(UnknownKvDtype, match="q3_k"):
        kv_dtype("q3_k")


def test_gemma_3_groups_in_vllm() -> None:
    """52 sliding and 10 full layers: 7 groups of 10, 8 of padding, 205,696 tokens in 109.86 GiB.

    The log had 89,994 blocks; its 109.86 GiB, rounded, give 89,993 to 90,001.
    """
    engine = Vllm(model(GEMMA_3), Plan(version="0.11.0", context=131_072))
    blocks = engine.pool(8192)
    assert (blocks.groups, blocks.padding_layers) == (7, 8)
    assert blocks.bytes_per_block == 10 * 131_072
    assert blocks.blocks(round(109.86 * 2**30)) == pytest.approx(89_994, abs=4)
    assert engine.tokens(blocks, 89_994) == 205_696


@pytest.mark.parametrize(
    ("expected", "name", "dtype", "source"),
    [
        # "Setting attention block size to N tokens": public vLLM logs that no rule was fitted on
        (784, QWEN_NEXT, "bf16", "Qwen3.8-27B-FP8 on one GPU: the same layers"),
        (1056, "Qwen/Qwen3.6-35B-A3B", "bf16", "Qwen3.6 MoE, padded by 0.76 %"),
        (4176, "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "fp8", "Nemotron Cascade 2 30B-A3B"),
    ],
)
def test_attention_blocks_grow_to_a_state(
    expected: int, name: str, dtype: str, source: str
) -> None:
    engine = Vllm(model(name), Plan(version="0.19.0", kv_dtype=dtype))
    assert engine.pool(2048).smallest_block == expected, source


def test_both_lines_of_a_hybrid() -> None:
    """vLLM 0.19.0 logs 290,864 tokens beside 33.04x of 32,768 (vllm-project/vllm issue 40691)."""
    plan = Plan(version="0.19.0", context=32_768, max_num_batched_tokens=16_384)
    engine = Vllm(model(QWEN_NEXT), plan)
    blocks = engine.pool(16_384)
    count = next(n for n in range(2000) if engine.tokens(blocks, n) == 290_864)
    times = {f"{(count + more) / blocks.blocks_per_request(32_768):.2f}" for more in range(4)}
    assert "33.04" in times


def test_swa_cells_of_llama_cpp() -> None:
    """Four slots see four windows: 4 x 1,024 + 512 = 4,608 cells, 765 MiB of 833 at 8,192."""
    plan = Plan(engine="llama.cpp", context=2048, concurrency=4)
    full, sliding, _ = LlamaCpp(model(GEMMA_4), plan).kv_parts(2048)
    # 720 MiB of keys and values of 40 layers of 8 x 256, 64 of 8 layers of one head of 512
    assert sliding == 4608 * 40 * 2 * 8 * 256 * 2
    assert full == 8192 * 8 * 2 * 512 * 2


@pytest.mark.parametrize(
    ("expected", "context"),
    [(256, 1), (256, 256), (512, 257), (8192, 8192)],
)
def test_llama_cpp_pads_to_256(expected: int, context: int) -> None:
    engine = LlamaCpp(model(LLAMA_3), Plan(engine="llama.cpp", context=context))
    assert engine.kv_bytes(context) == expected * 131_072


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 200_000))
def test_a_pool_never_promises_more_than_it_has(full: int, sliding: int, context: int) -> None:
    layers = (
        *[CacheLayer("full", heads=8, key_dim=128, value_dim=128)] * full,
        *[CacheLayer("sliding", heads=8, key_dim=128, value_dim=128, span=1024)] * sliding,
    )
    cut = Cut(kv_dtype("f16"), kv_dtype("f16"), in_flight_tokens=2048)
    blocks = pool(layers, cut)
    assert blocks.request_bytes(context) >= context * full * 4096
    assert blocks.padding_layers < min(full, sliding)


@given(st.integers(1, 1_000_000))
def test_more_context_never_needs_less(context: int) -> None:
    gemma = model(GEMMA_3)
    assert kv_cache_bytes(gemma, context + 1) >= kv_cache_bytes(gemma, context)


def test_layers_that_share_a_cache_are_counted_once() -> None:
    gemma = model("google/gemma-3n-E2B-it")
    assert len(cache_layers(gemma)) < len(gemma.layers)


def test_what_deepseek_v4_keeps() -> None:
    """A window of 128 per layer, and one entry for every 4 or 128 tokens beside it."""
    model = shape("deepseek-ai/DeepSeek-V4-Flash")
    assert model
    layers = counted(cache_layers(model))
    windows = sum(count for layer, count in layers.items() if layer.span == 128)
    assert windows == len(model.layers)
    by_ratio = {layer.ratio: (layer.key_dim, count) for layer, count in layers.items()}
    assert by_ratio[4][0] == 512 + 128
    assert by_ratio[128][0] == 512
    context = 4096 + 1  # the last group of each ratio has one token only
    expected = 2 * (windows * 128 * 512 + by_ratio[4][1] * 1025 * 640 + by_ratio[128][1] * 33 * 512)
    assert kv_cache_bytes(model, context) == expected


def test_an_indexer_is_kept_and_an_encoder_keeps_nothing() -> None:
    model = shape("Qwen/Qwen3-8B")
    assert model
    (mixer,) = model.layers[0].mixers
    assert isinstance(mixer, Attention)
    layer = replace(model.layers[0], mixers=(replace(mixer, index_head_dim=128),))
    indexed = replace(model, layers=(layer,))
    plain = replace(model, layers=model.layers[:1])
    assert kv_bytes_per_token(indexed) - kv_bytes_per_token(plain) == 2 * 128
    assert kv_cache_bytes(replace(model, encoder=True), 4096) == 0
