"""Parts of an engine's start that have rules of their own: towers, adapters, graphs, forks.

Expected figures are logged ones where a source is named, else counted by hand.
"""

import pytest

from calculators.facts import rows
from calculators.kit.units import GIB, MIB
from calculators.maths.closure import shape
from calculators.maths.device import Device, device
from calculators.maths.engines.ik_graph import Fork, ik_graph_bytes
from calculators.maths.engines.llama_graph import Reserve
from calculators.maths.engines.model import Plan
from calculators.maths.engines.ollama import ollama
from calculators.maths.engines.vllm import Vllm
from calculators.maths.engines.vllm_graphs import (
    capture_sizes,
    graphs,
    largest_capture,
    reserved_bytes,
)
from calculators.maths.engines.vllm_lora import slot_bytes
from calculators.maths.engines.vllm_vision import VisionPass
from calculators.maths.kv_cache import kv_dtype
from calculators.maths.tensors import Architecture

V3, KIMI = "deepseek-ai/DeepSeek-V3", "moonshotai/Kimi-K2-Instruct"
QWEN_27B, GEMMA_26B = "Qwen/Qwen3.6-27B", "google/gemma-4-26B-A4B-it"
QWEN_30B, QWEN_235B = "Qwen/Qwen3-30B-A3B", "Qwen/Qwen3-235B-A22B"


def named(model_id: str) -> Architecture:
    model = shape(model_id)
    assert model
    return model


@pytest.mark.parametrize(
    ("model_id", "tokens", "requests", "context", "items"),
    [  # "Encoder cache will be initialized with a budget of ... and profiled with ... items"
        (QWEN_27B, 2048, 256, 131072, 1),
        (QWEN_27B, 4096, 1, 65536, 1),
        (GEMMA_26B, 2048, 256, 98304, 1),
        (GEMMA_26B, 16384, 2, 256000, 6),
        ("google/gemma-3-27b-it", 8192, 1024, 4096, 32),
        ("google/gemma-3-27b-it", 8192, 1, 512, 2),  # a request has room for no more
        ("Qwen/Qwen3-8B", 8192, 256, 4096, 0),
    ],
)
def test_items_that_are_profiled(
    model_id: str, tokens: int, requests: int, context: int, items: int
) -> None:
    assert VisionPass(named(model_id)).items(tokens, requests, context) == items


def test_a_tower_outlives_its_peak_in_pictures_and_features() -> None:
    peak, held = VisionPass(named(QWEN_27B)).bytes(2048, 256, 131072)
    patches = 65536
    assert held == 2 * (patches * 3 * 2 * 16 * 16 + 2048 * 5120 + 16384 * 5120)
    assert peak == 2 * (patches * 3 * 2 * 16 * 16 + 2048 * 5120 + patches * 2 * (1152 + 4304))


def test_a_server_without_its_tower_profiles_none() -> None:
    with_tower, without = (
        Vllm(named(QWEN_27B), Plan(vision=vision)).activation_bytes(2048, 1)
        for vision in (True, False)
    )
    assert without < with_tower


@pytest.mark.parametrize(
    ("model_id", "rank", "version", "gib", "slack", "reason"),
    [
        ("Qwen/Qwen3-8B", 32, (0, 10, 2), 0.1638, 0.002, "8.9638 GiB logged less the weights"),
        ("meta-llama/Llama-3.2-3B", 64, (0, 8, 5), 0.2312, 0.02, "the loader keeps a little more"),
        ("mistralai/Mistral-7B-Instruct-v0.3", 32, (0, 8, 5), 0.1818, 0.02, "the same"),
    ],
)
def test_slots_for_adapters(
    model_id: str, rank: int, version: tuple[int, ...], gib: float, slack: float, reason: str
) -> None:
    found = slot_bytes(named(model_id), 1, rank, version) / GIB
    assert found == pytest.approx(gib, abs=slack), reason


def test_slots_grow_with_their_number_and_shrink_with_ranks() -> None:
    model, version = named("Qwen/Qwen3-8B"), (0, 10, 2)
    one = slot_bytes(model, 1, 16, version)
    assert slot_bytes(model, 4, 16, version) == 4 * one
    assert one / 2 < slot_bytes(model, 1, 16, version, tensor_parallel=2) < one
    assert slot_bytes(model, 0, 16, version) == 0


@pytest.mark.parametrize(
    ("requests", "per_request", "sizes", "largest", "count"),
    [  # "Profiling CUDA graph memory: PIECEWISE=51 (largest=512), FULL=35 (largest=256)"
        (256, 1, 51, 512, 51 + 35),
        (1024, 1, 51, 512, 51 + 51),
        (32, 1, 11, 64, 11 + 7),
        (2, 1, 3, 4, 3 + 2),
        (8, 5, 13, 80, 13 + 8),
    ],
)
def test_graphs_that_are_captured(
    requests: int, per_request: int, sizes: int, largest: int, count: int
) -> None:
    found = capture_sizes(requests, per_request, 8192)
    assert (len(found), found[-1]) == (sizes, largest)
    assert graphs(requests, per_request, 8192) == count


@pytest.mark.parametrize(
    ("layers", "count", "gib"),
    [(30, 86, 0.83), (28, 86, 0.53), (64, 86, 1.11), (30, 5, 0.26), (40, 4, 0.39), (64, 5, 0.13)],
)
def test_what_a_start_sets_aside_for_graphs(layers: int, count: int, gib: float) -> None:
    """ "Estimated CUDA graph memory" of logs of 0.19 to 0.26; it differs by model and card."""
    assert reserved_bytes(layers, count) / GIB == pytest.approx(gib, abs=0.3)


def test_an_eager_server_captures_nothing() -> None:
    engine = Vllm(named("Qwen/Qwen3-8B"), Plan(enforce_eager=True))
    assert engine.graph_bytes(engine.kind(card("h100-sxm"))) == (0, "")


@pytest.mark.parametrize(
    ("gpu", "version", "largest"),
    [("b200", "0.33.0", 1024), ("b200", "0.27.0", 512), ("h100-sxm", "0.33.0", 512)],
)
def test_the_largest_graph(gpu: str, version: str, largest: int) -> None:
    numbers = tuple(int(part) for part in version.split("."))
    found = capture_sizes(1024, 1, 8192, largest_capture(card(gpu).name, numbers))
    assert found[-1] == largest


def card(gpu_id: str) -> Device:
    found = device(next(row for row in rows("gpus") if row["id"] == gpu_id))
    assert found
    return found


def forked(model_id: str, cells: int, batch: int, fork: Fork, keys: str = "f16") -> float:
    dtype = kv_dtype(keys)
    reserve = Reserve((2025, 1), batch, batch, cells, cells, dtype, dtype, experts_elsewhere=True)
    return ik_graph_bytes(named(model_id), reserve, fork) / MIB


@pytest.mark.parametrize(
    ("model_id", "cells", "batch", "limit", "keys", "mib", "share"),
    [  # https://github.com/ikawrakow/ik_llama.cpp, discussion 258, pull requests 409, 492, 616
        (V3, 32768, 512, 512, "q8_0", 3425.0, 0.01),
        (V3, 32768, 512, 512, "f16", 3393.0, 0.01),
        (V3, 32768, 1024, 512, "f16", 3650.0, 0.01),
        (V3, 32768, 4096, 512, "f16", 4104.02, 0.01),
        (V3, 65536, 512, 512, "q8_0", 6081.0, 0.01),
        (V3, 153600, 4096, 512, "q8_0", 16257.02, 0.02),
        (V3, 16384, 1024, 0, "f16", 3444.0, 0.0001),
        (V3, 2048, 512, 512, "q8_0", 503.0, 0.04),  # a gap of 17 MiB that our order does not leave
        (KIMI, 2048, 512, 512, "q8_0", 334.0, 0.0001),
        (QWEN_235B, 32768, 512, 0, "q8_0", 312.75, 0.03),
    ],
)
def test_a_fork_brings_whole_heads_out_of_latents(
    model_id: str, cells: int, batch: int, limit: int, keys: str, mib: float, share: float
) -> None:
    found = forked(model_id, cells, batch, Fork(3, limit), keys)
    assert found == pytest.approx(mib, rel=share)


def test_a_limit_on_a_forks_batch_saves_memory() -> None:
    free, bound = (forked(V3, 32768, 512, Fork(3, limit)) for limit in (0, 512))
    assert bound < free


@pytest.mark.parametrize(
    ("model_id", "version", "counted"),
    [
        ("Qwen/Qwen3-8B", "0.27.0", False),
        ("Qwen/Qwen3-8B", "0.28.0", True),
        (QWEN_30B, "0.28.0", False),
        (QWEN_30B, "0.33.0", True),
        (QWEN_27B, "0.28.0", False),
    ],
)
def test_the_second_runner_counts_tokens(model_id: str, version: str, counted: bool) -> None:
    model = named(model_id)
    found = Vllm(model, Plan(version=version)).counters(256)
    expected = 4 * 256 * (model.vocab_size + -(-model.vocab_size // 32))
    assert found == (expected if counted else 0)


# --- Ollama: ml/device.go keeps more back on Metal. ---


@pytest.mark.parametrize(
    ("gpu_id", "kept"), [("rtx-4090", 457 * MIB), ("apple-m3-ultra", 512 * MIB)]
)
def test_what_ollama_keeps_back(gpu_id: str, kept: int) -> None:
    found = ollama(named(QWEN_30B), Plan(engine="ollama"))
    assert card(gpu_id).usable_bytes - found.limit(card(gpu_id)) == kept
