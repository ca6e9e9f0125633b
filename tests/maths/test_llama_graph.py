"""Compute buffers that llama.cpp reserves, build by build.

The expected sizes were printed by published builds of the library (b5000 to b11063) that were asked
to reserve graphs without allocating, for one or two CUDA-like devices; they are not from logs that
any rule was made for. Exact rows may differ by small inputs (positions, indices): 0.1 MiB.
"""

from dataclasses import replace

import pytest

from calculators.maths.closure import shape
from calculators.maths.engines.ggml_graph import Graph
from calculators.maths.engines.llama_graph import Reserve, graph_bytes
from calculators.maths.kv_cache import kv_dtype

MIB = 2**20
JUNE_25, MAY_26, AUG_26 = (2025, 6), (2026, 5), (2026, 8)
LLAMA, QWEN_4B, QWEN_32B = "meta-llama/Llama-3.1-8B", "Qwen/Qwen3-4B", "Qwen/Qwen3-32B"
A3B, A22B, GEMMA = "Qwen/Qwen3-30B-A3B", "Qwen/Qwen3-235B-A22B", "google/gemma-3-27b-it"


def reserve(name: str, version: tuple[int, ...], cells: int, rows: int, flash: bool) -> Reserve:
    window = {"openai/gpt-oss-20b": 768, "CohereForAI/c4ai-command-r7b-12-2024": 4608}
    f16 = kv_dtype("f16")
    windows = min(cells, window.get(name, 1536))
    return Reserve(version, 512, rows, cells, windows, f16, f16, flash)


@pytest.mark.parametrize(
    ("name", "version", "cells", "rows", "flash", "mib", "share"),
    [
        (LLAMA, AUG_26, 8192, 1, True, 116.01, 0.001),
        (LLAMA, AUG_26, 32768, 1, True, 140.01, 0.001),
        (LLAMA, AUG_26, 32768, 1, False, 2148.01, 0.001),
        (LLAMA, MAY_26, 131072, 512, True, 416.01, 0.001),
        (LLAMA, JUNE_25, 32768, 512, True, 258.50, 0.001),
        (LLAMA, JUNE_25, 32768, 512, False, 2144.0, 0.001),
        (QWEN_4B, AUG_26, 8192, 1, True, 83.01, 0.001),
        (QWEN_4B, MAY_26, 8192, 512, True, 301.75, 0.001),
        (QWEN_4B, JUNE_25, 131072, 512, True, 410.0, 0.001),
        (QWEN_32B, AUG_26, 32768, 1, True, 218.01, 0.001),
        (QWEN_32B, JUNE_25, 131072, 512, True, 436.0, 0.001),
        (A3B, AUG_26, 32768, 1, True, 116.01, 0.001),
        (A3B, JUNE_25, 8192, 512, True, 316.75, 0.001),
        (A22B, AUG_26, 8192, 1, True, 176.01, 0.001),
        (A22B, MAY_26, 8192, 512, True, 312.75, 0.001),
        (GEMMA, AUG_26, 8192, 1, True, 164.52, 0.001),
        (GEMMA, AUG_26, 32768, 1, False, 2168.01, 0.001),
        (GEMMA, JUNE_25, 131072, 512, True, 522.62, 0.001),
        ("openai/gpt-oss-20b", AUG_26, 8192, 1, True, 95.52, 0.001),
        ("zai-org/GLM-4.5-Air", AUG_26, 8192, 1, True, 156.01, 0.001),
        ("google/gemma-4-31B-it", AUG_26, 32768, 1, True, 212.52, 0.001),
        ("google/gemma-4-12B-it", AUG_26, 8192, 1, False, 338.01, 0.001),
        ("Qwen/Qwen2.5-7B-Instruct", AUG_26, 32768, 1, True, 164.01, 0.001),
        ("mistralai/Mistral-Small-24B-Instruct-2501", AUG_26, 8192, 1, True, 228.01, 0.001),
        ("CohereForAI/c4ai-command-r7b-12-2024", AUG_26, 8192, 1, True, 128.52, 0.001),
        ("Qwen/Qwen3.6-27B", AUG_26, 8192, 1, True, 130.02, 0.001),
        ("deepseek-ai/DeepSeek-V3", AUG_26, 8192, 1, True, 375.01, 0.01),  # no query's compression
        ("deepseek-ai/DeepSeek-V3", AUG_26, 32768, 1, False, 8634.01, 0.01),
        ("Qwen/Qwen3.6-35B-A3B", AUG_26, 8192, 1, True, 76.02, 0.05),  # its shared expert's gate
    ],
)
def test_reserved_by_a_build(
    name: str,
    version: tuple[int, ...],
    cells: int,
    rows: int,
    flash: bool,
    mib: float,
    share: float,
) -> None:
    model = shape(name)
    assert model
    found = graph_bytes(model, reserve(name, version, cells, rows, flash)) / MIB
    assert found == pytest.approx(mib, rel=share, abs=0.1)


def test_a_gap_is_used_before_the_buffer_grows() -> None:
    graph = Graph()
    first = graph.add(1024)
    second = graph.add(512, first)  # `first` goes, its gap stays
    third = graph.add(1024, second)
    graph.add(0, third, second)
    assert graph.peak() == 1536


def test_a_gap_too_small_for_anything_stays() -> None:
    graph = Graph()
    first = graph.add(512)
    second = graph.add(512, first)
    third = graph.add(1024, second)
    graph.add(0, third, second)
    assert graph.peak() == 2048


def test_cuda_keeps_room_for_a_quantized_cache_in_16_bit() -> None:
    """PR 23907: keys and values of a whole layer, 4 KiB per token of Qwen3.6-27B."""
    model = shape("Qwen/Qwen3.6-27B")
    assert model
    plain = reserve("Qwen/Qwen3.6-27B", AUG_26, 204800, 1, True)
    packed = replace(plain, keys=kv_dtype("q8_0"), values=kv_dtype("q8_0"))
    added = graph_bytes(model, packed) - graph_bytes(model, plain)
    assert 0.7 * 800 * MIB < added <= 800 * MIB  # less what overlaps with other tensors
    assert graph_bytes(model, replace(packed, cuda=False)) == graph_bytes(model, plain)
    assert graph_bytes(model, replace(packed, version=MAY_26)) == graph_bytes(
        model, replace(plain, version=MAY_26)
    )
